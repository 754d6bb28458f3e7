import * as Effect from "effect/Effect"
import type { Fact } from "../../src/events/Events.ts"
import type { World } from "./World.ts"

/*
 * What clients were told is done. It has to be so whatever happens to the service or its machine after that, unless the
 * answer itself said otherwise.
 */

type Json = Readonly<Record<string, unknown>>

export interface Promises {
  readonly asked: (method: string, params: Json) => void
  /** `result`: undefined where it was refused, and `refusal` tells why */
  readonly answered: (method: string, params: Json, result: Json | undefined, refusal?: string) => void
  readonly told: (fact: Fact) => void
  /** it was asked to end */
  readonly ends: () => void
  /** the wall clock was set: a recording that was cut off ends by that */
  readonly clockWasSet: () => void
  /** it was killed, at this moment */
  readonly struck: () => void
  /** nothing of it runs any more, and the disk is what the next start finds */
  readonly lookAtWhatIsLeft: () => void
  /** the promise that was broken */
  readonly broken: () => string | undefined
}

/** A file that a client was told of. */
interface Promised {
  readonly bytes: Uint8Array
  /** milliseconds that had passed */
  readonly at: number
  /** the answer said that it is safe; else it is a moment later, on a disk that works */
  readonly isSynced: boolean
}

/** So many milliseconds after its answer a picture is synced (`storage/BackgroundSync`). */
const syncTime = 1000
/** A recording that was cut off goes on, or is given up, in 15 s after the start; MediaMTX may be late with it. */
const goesOnWithin = 90_000

/** What is told of one that goes on after a start. */
const cutOff = "the service ended before the recording did"

/** A stop that is hindered by all that can be wrong. */
const endsWithin = 60_000

const streamFile = "/data/external_streams.json"
const folders = { recordings: "/data/recordings", snapshots: "/data/snapshots" }

const isSame = (one: Uint8Array, other: Uint8Array) =>
  one.length === other.length && one.every((byte, i) => byte === other[i])

export const makePromises = (world: Pick<World, "diskWorksSince" | "ground" | "life" | "passed">): Promises => {
  const { diskWorksSince } = world
  const { outside } = world.ground.disk
  const files = new Map<string, Promised>()
  /** small files that last, and what is in each from an answer on */
  const settings = new Map<string, (text: string) => boolean>()
  /** by camera: when its recording was acknowledged */
  const recordings = new Map<string, number>()
  /** by camera: when its recording has to be over (milliseconds that had passed) */
  const ends = new Map<string, number>()
  /** recordings that were cut off, and have to go on */
  const owed = new Set<string>()
  /** cameras of which a recording was stopped, and that nobody has recorded since */
  const stopped = new Set<string>()
  /** by camera: when somebody asked last for its stop (milliseconds that had passed) */
  const stopsAsked = new Map<string, number>()
  let unanswered = 0
  let struckAt = 0
  let broken: string | undefined
  let before = new Map<string, Uint8Array>()

  const read = (path: string): Uint8Array | undefined => {
    try {
      return outside.read(path)
    } catch {
      return undefined
    }
  }
  const text = (path: string): string => new TextDecoder().decode(read(path))

  const promise = (path: string, isSynced: boolean) => {
    const bytes = read(path)
    if (bytes !== undefined) files.set(path, { bytes, at: world.passed(), isSynced })
  }

  const isRecorded = (camera: string) => Effect.runSync(world.ground.mediaMtx.options(camera))?.["record"] === true

  const has = (words: string) => (there: string) => there.includes(words)

  const lookAtFiles = (): string | undefined => {
    for (const [path, { at, bytes, isSynced }] of files) {
      const last = before.get(path)
      const isSafe = isSynced || (struckAt - at >= syncTime && diskWorksSince() <= at)
      // who deleted it has done so by then
      if (last === undefined || !isSafe) {
        files.delete(path)
        continue
      }
      const now = read(path)
      if (now === undefined) return `${path} was acknowledged, and is gone`
      if (!isSame(now, bytes) && !isSame(now, last)) {
        return `${path} was acknowledged with ${bytes.length} bytes, had ${last.length}, and has ${now.length} now`
      }
    }
    return undefined
  }

  const lookAtSettings = (): string | undefined => {
    const lost = [...settings].find(([path, holds]) => !holds(text(path)))
    return lost === undefined ? undefined : `${lost[0]} is not what was acknowledged: ${text(lost[0]) || "it is empty"}`
  }

  return {
    asked: (method, { device }) => {
      if (method.endsWith("_external_stream")) settings.delete(streamFile)
      if (method === "set_retention_policy") {
        unanswered++
        settings.delete("/data/retention.json")
      }
      if ((method === "stop_recording" || method === "start_recording") && typeof device === "string") {
        if (method === "stop_recording") recordings.delete(device)
        ends.delete(device)
        owed.delete(device)
        stopped.delete(device)
        if (method === "stop_recording") stopsAsked.set(device, world.passed())
      }
    },

    answered: (method, params, result, refusal) => {
      if (method === "set_retention_policy") unanswered--
      // there was nothing to stop but one that was cut off, where the disk took that
      if (method === "stop_recording" && refusal?.includes("STOPPED") === true) {
        const device = String(params["device"])
        if (diskWorksSince() <= (stopsAsked.get(device) ?? 0)) stopped.add(device)
      }
      if (result === undefined) return
      switch (method) {
        case "authenticate": {
          const path = "/data/secrets/jwt_secret"
          const secret = text(path)
          if (!settings.has(path)) settings.set(path, (now) => now === secret)
          return
        }
        case "take_snapshot":
          return promise(`${folders.snapshots}/${String(result["filename"])}`, false)
        case "stop_recording":
          if (result["reason"] !== undefined) return
          stopped.add(String(result["device"]))
          return (result["files"] as ReadonlyArray<string>).forEach((file) =>
            promise(`${folders.recordings}/${file}`, true)
          )
        case "start_recording":
          if (params["duration"] === undefined) {
            if (result["reason"] === undefined) recordings.set(String(result["device"]), world.passed())
          } else ends.set(String(result["device"]), world.passed() + Number(params["duration"]) * 1000 + endsWithin)
          return
        case "add_external_stream":
          return void settings.set(streamFile, has(String(result["stream_url"])))
        case "create_api_key":
          return void settings.set(`/data/secrets/api_keys.json`, has(String(result["key_id"])))
        case "set_retention_policy": {
          // one that was asked for beside it may be in force now
          if (unanswered > 0) return
          const { device, enabled } = result
          const holds = (now: string) => {
            const kept = JSON.parse(now) as { all?: object; cameras: Record<string, object> }
            const policy = device === undefined ? kept.all : kept.cameras[String(device)]
            return policy !== undefined && "enabled" in policy && policy.enabled === enabled
          }
          return void settings.set("/data/retention.json", (now) => now !== "" && holds(now))
        }
      }
    },

    told: (fact) => {
      if (fact._tag === "RecordingEnded" || fact._tag === "RecordingFailed") {
        recordings.delete(fact.camera)
        ends.delete(fact.camera)
      }
      if (fact._tag.startsWith("Recording") && "camera" in fact) owed.delete(fact.camera)
      if (fact._tag === "RecordingWriting" && stopped.delete(fact.camera) && fact.reason?.startsWith(cutOff) === true) {
        broken ??= `the recording of ${fact.camera} was stopped, and goes on: ${fact.reason}`
      }
    },

    ends: () => {
      recordings.clear()
      ends.clear()
      owed.clear()
    },
    clockWasSet: () => ends.clear(),

    struck: () => {
      struckAt = world.passed()
      unanswered = 0
      before = new Map(
        [...files.keys()].flatMap((path) => {
          const bytes = read(path)
          return bytes === undefined ? [] : [[path, bytes] as const]
        })
      )
      for (const [camera, since] of recordings) if (diskWorksSince() <= since) owed.add(camera)
      recordings.clear()
    },

    lookAtWhatIsLeft: () => {
      broken ??= lookAtFiles() ?? lookAtSettings()
      for (const path of before.keys()) {
        const bytes = read(path)
        const promised = files.get(path)
        if (bytes !== undefined && promised !== undefined) files.set(path, { ...promised, bytes })
      }
    },

    broken: () => {
      if (broken !== undefined || world.life === undefined) return broken
      const [tooLong] = [...ends].find(([camera, end]) => world.passed() > end && isRecorded(camera)) ?? []
      if (tooLong !== undefined) return `the recording of ${tooLong} should have ended ${endsWithin / 1000} s ago`
      const [camera] = owed
      // which recordings were under way is read at the start, and again until the disk tells it
      const late = world.passed() - Math.max(world.life.since, diskWorksSince())
      if (camera === undefined || late < goesOnWithin) return undefined
      return `the recording of ${camera} was acknowledged and cut off, and has not gone on ${Math.round(late / 1000)} s after the start`
    }
  }
}
