import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join, relative } from "node:path"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { eventually } from "../support/Eventually.ts"
import { connect, type PlainClient } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { bundle, makeGround, ready, type Service, start } from "../support/Service.ts"
import { type Done, type History, isRemuxed, type Sample, type Stop } from "./History.ts"

const cameras = ["camera0", "camera1", "camera2", "camera3"]
/** The last camera's recordings are short ones; the others go on in new files. */
const [short = ""] = cameras.slice(-1)
/** Each segment of this one is copied into another container while the next one is written. */
const [remuxed = ""] = cameras.slice(-2)

/** It is recorded already. */
const invalidState = -32_020

/** The pause after each, where the pace is 1. */
const every = {
  sample: Duration.millis(25),
  snapshot: Duration.millis(200),
  setting: Duration.millis(350),
  key: Duration.millis(600),
  short: Duration.millis(2500)
}

/** Which syncs of the service are lies (`fixtures/forgetful.ts`). */
export type Forgets = "folders" | "new files" | "recordings" | "remuxed recordings"

/** Where a service keeps its data. */
export interface Place {
  readonly folder: string
  /** a moment in its life: of two, the later one is no smaller */
  readonly now: () => number
}

export interface Life {
  readonly seconds: number
  /** so many times as long are the pauses between all that is done beside recording; 1 where it is left out */
  readonly pace?: number
  readonly forgets?: Forgets
  /** takes the disk away after that */
  readonly pull?: Effect.Effect<void>
  /** what happens to the service then, before it is killed; nothing of it is in the history */
  readonly after?: (service: Service, client: PlainClient) => Effect.Effect<void>
}

const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => join(parentPath, name))

/** What MediaMTX writes of recordings that are remuxed: an open file outlives the copy that takes its name. */
const openWritten = Effect.acquireRelease(
  Effect.sync(() => new Map<string, number>()),
  (open) => Effect.sync(() => open.forEach((descriptor) => closeSync(descriptor)))
)

const recordingsIn = (folder: string, written: Map<string, number>): ReadonlyMap<string, number> => {
  const sizes = new Map<string, number>()
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (name.startsWith(".")) continue
    if (isRemuxed(name) && !written.has(name)) written.set(name, openSync(path, "r"))
    const descriptor = written.get(name)
    const bytes = (descriptor === undefined ? statSync(path, { throwIfNoEntry: false }) : fstatSync(descriptor))?.size
    if (bytes !== undefined) sizes.set(name, bytes)
  }
  return sizes
}

const changes = (before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): Sample["recordings"] =>
  new Map([
    ...[...before.keys()].flatMap((name) => (now.has(name) ? [] : [[name, undefined] as const])),
    ...[...now].filter(([name, bytes]) => before.get(name) !== bytes)
  ])

/** The answer says itself that a crash may undo it. */
const mayNotLast = (result: unknown): boolean => typeof result === "object" && result !== null && "reason" in result

/**
 * Runs the service on a disk: four cameras record, snapshots are taken and settings are made, as fast as it answers. Then
 * all of it is killed.
 */
export const live = Effect.fnUntraced(function* (disk: Place, { after, forgets, pace = 1, pull, seconds }: Life) {
  const folder = join(disk.folder, "data")
  const settings = { RECORDING_SEGMENT_SECONDS: "4", TELEMETRY_LOG_LEVEL: "warning" }
  const ground = yield* makeGround({ cameras: cameras.length, folder, settings })
  const fixture = join(import.meta.dirname, "fixtures/forgetful.ts")
  const service = yield* start(
    ground,
    forgets === undefined
      ? {}
      : { command: [process.execPath, "--import", fixture, bundle], environment: { FORGETS: forgets } }
  )
  const started = disk.now()
  yield* ready(service)
  const token = yield* service.token({ role: "admin", ttl: 3600 })

  const history = {
    policies: new Array<Done<number>>(),
    keys: new Array<Done<string>>(),
    revoked: new Array<Done<string>>(),
    snapshots: new Array<Done<string>>(),
    starts: new Array<Done<string>>(),
    stops: new Array<Done<Stop>>(),
    samples: new Array<Sample>()
  }
  /** Does something, which is known from before it is asked for. */
  const does = <A, B>(all: Array<Done<A>>, value: A, asked: Effect.Effect<B>, told: (reply: B) => A) =>
    Effect.gen(function* () {
      const i = all.push({ begun: disk.now(), done: undefined, value }) - 1
      const since = yield* monotonicMillis
      const reply = yield* asked
      const took = (yield* monotonicMillis) - since
      all[i] = { begun: all[i]?.begun ?? 0, done: disk.now(), took, value: told(reply) }
      return reply
    })
  const again = (pause: Duration.Duration, work: (client: PlainClient, n: number) => Effect.Effect<unknown>) =>
    Effect.gen(function* () {
      const client = yield* connect(service.url, token)
      let n = 0
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.andThen(
            Effect.suspend(() => work(client, n++)),
            Effect.sleep(Duration.times(pause, pace))
          )
        )
      )
    })

  const open = yield* openWritten
  let seen: ReadonlyMap<string, number> = new Map()
  const sample = Effect.gen(function* () {
    // the sizes first: by that moment of the log they were so large
    const now = recordingsIn(join(folder, "recordings"), open)
    const recordings = changes(seen, now)
    seen = now
    history.samples.push({ recordings, at: disk.now(), time: yield* monotonicMillis })
  })

  /** One that was cut off may go on already: its camera is being recorded. */
  const record = (client: PlainClient, camera: string, format: string) =>
    does(
      history.starts,
      camera,
      Effect.flatMap(client.call("start_recording", { device: camera, format }), ({ error, result }) =>
        error === undefined || error.code === invalidState ? Effect.succeed(result) : Effect.die(error)
      ),
      (result) => (mayNotLast(result) ? "" : camera)
    )

  const left = (): Pick<History, "files" | "written"> => ({
    files: new Map(filesIn(folder).map((path) => [relative(folder, path), readFileSync(path)])),
    written: new Map([...open].map(([name, descriptor]) => [name, readFileSync(descriptor)]))
  })
  const tellAll = (name: NodeJS.Signals) =>
    Effect.sync(() => {
      for (const { pid } of ground.processes()) signal(pid, name)
    })

  let end = 0
  let told = history
  let there: ReturnType<typeof left> | undefined
  yield* Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(sample, Effect.sleep(every.sample))))
      const client = yield* connect(service.url, token)
      for (const camera of cameras) {
        if (camera !== short) yield* record(client, camera, camera === remuxed ? "mkv" : "fmp4")
      }
      yield* again(every.setting, (by, n) => {
        const days = 1000 + n
        const policy = { policy_type: "age", enabled: true, max_age_days: days }
        return does(history.policies, days, by.result("set_retention_policy", policy), () => days)
      })
      yield* again(every.key, (by, n) =>
        Effect.gen(function* () {
          const { key_id } = yield* does(
            history.keys,
            "",
            by.result<{ readonly key_id: string }>("create_api_key", { role: "viewer", description: `key ${n}` }),
            (made) => made.key_id
          )
          if (n % 2 === 0) return
          yield* does(history.revoked, key_id, by.result("revoke_api_key", { key_id }), () => key_id)
        })
      )
      yield* again(every.snapshot, (by, n) => {
        const device = cameras[n % cameras.length]
        const named = n % 5 === 0 ? { device: "camera0", filename: "front.jpg", overwrite: true } : { device }
        const taken = by.result<{ readonly filename: string }>("take_snapshot", named)
        return does(history.snapshots, "", taken, ({ filename }) => filename)
      })
      yield* again(every.short, (by, n) =>
        Effect.gen(function* () {
          yield* record(by, short, n % 2 === 0 ? "mkv" : "fmp4")
          yield* Effect.sleep(every.short)
          const stop = by.result<{ readonly files: ReadonlyArray<string> }>("stop_recording", { device: short })
          yield* does(history.stops, { camera: short, files: new Array<string>(), isOver: true }, stop, (stopped) => ({
            camera: short,
            files: stopped.files,
            isOver: !mayNotLast(stopped)
          }))
        })
      )
      yield* Effect.sleep(Duration.seconds(seconds))
      const last = yield* connect(service.url, token)
      // from here on nothing is done that is not known
      yield* tellAll("SIGSTOP")
      end = disk.now()
      told = structuredClone(history)
      if (pull !== undefined) {
        // no more can be read of it afterwards
        there = left()
        yield* pull
      }
      if (after !== undefined) yield* Effect.andThen(tellAll("SIGCONT"), after(service, last))
      yield* tellAll("SIGKILL")
    })
  )
  yield* service.ended
  yield* eventually(
    "all of it is gone",
    Effect.sync(() => ground.processes().length === 0)
  )
  return { ...told, started, ...(there ?? left()), end } satisfies History as History
})
