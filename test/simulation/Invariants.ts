import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Devices } from "../../src/device/Devices.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { workOf } from "../../testing/FfmpegWork.ts"
import { everyoneIsAnswered } from "./Answers.ts"
import { type Invariant, lives } from "./Looking.ts"
import { hasReason } from "./Reasons.ts"
import { deviceOf, type World } from "./World.ts"

const cameraOf = (args: ReadonlyArray<string>): string => {
  const url = args.find((arg) => arg.startsWith("rtsp:"))
  return url === undefined ? "" : new URL(url).pathname.slice(1)
}

export const publishers = (world: World) =>
  world
    .running()
    .filter(({ args, program }) => workOf(program, args) === "publish")
    .map((process) => ({ pid: process.pid, camera: cameraOf(process.args) }))

const streamsOf = ({ life }: World) => (life === undefined ? [] : Context.get(life.nouns, Streams).all())

const hasMediaMtx = ({ life }: World) =>
  life !== undefined && SubscriptionRef.getUnsafe(Context.get(life.nouns, MediaMtx).state)._tag === "Running"

/** FFmpeg is gone so many milliseconds after its last need ended, even if it ignores signals. */
const gone = 6000
/** What the service sleeps on: a few for each camera, client and call. */
const mostSleepers = 400

/** A path is there at once; a call that MediaMTX refused is made again after a while. */
const pathTime = 20_000
/** `server.max_unread_kilobytes`, and the answers that were under way when it was reached. */
const mostBytes = (512 + 256) * 1024
/** So long a name takes to get to a disk that works. */
const keptAfter = 2000

export const invariants: Readonly<Record<string, Invariant>> = {
  "one FFmpeg a camera": (world) => () => {
    const cameras = publishers(world).map(({ camera }) => camera)
    const twice = cameras.find((camera, i) => cameras.indexOf(camera) !== i)
    return twice === undefined ? undefined : `two publish ${twice}`
  },

  "no process without a lease": (world) => {
    const unneeded = new Map<number, number>()
    return () => {
      const needed = new Set<string>(streamsOf(world).map(({ camera }) => camera))
      const now = world.passed()
      const all = publishers(world)
      for (const pid of unneeded.keys()) if (!all.some((one) => one.pid === pid)) unneeded.delete(pid)
      for (const { camera, pid } of all) {
        if (needed.has(camera)) {
          unneeded.delete(pid)
          continue
        }
        const since = unneeded.get(pid) ?? now
        unneeded.set(pid, since)
        if (now - since > gone) return `FFmpeg ${pid} publishes ${camera}, which nobody needs since ${now - since} ms`
      }
      return undefined
    }
  },

  "no lease without a reason": hasReason,

  "what was acknowledged is on disk": (world) => world.promises.broken,

  "nothing fails unseen": (world) => world.failure,

  "no client sees what it may not": (world) => () => {
    for (const { forbidden, name } of world.life?.clients ?? []) {
      if (forbidden[0] !== undefined) return `${name} was given ${forbidden[0]}`
    }
    return undefined
  },

  "what a client leaves unread is bounded": (world) => () => {
    for (const { mostUnread, name } of world.life?.clients ?? []) {
      const bytes = mostUnread()
      if (bytes > mostBytes) return `${name} had ${bytes} bytes unread`
    }
    return undefined
  },

  "each known camera has its path": (world) => {
    const missing = new Map<string, number>()
    return () => {
      const now = world.passed()
      const isTold = hasMediaMtx(world) && world.suffering.size === 0
      const devices = isTold && world.life !== undefined ? Context.get(world.life.nouns, Devices).list() : []
      const without = devices
        .filter(({ id }) => Effect.runSync(world.ground.mediaMtx.options(id)) === undefined)
        .map(({ id }) => id)
      for (const id of missing.keys()) if (!without.includes(id as "camera0")) missing.delete(id)
      for (const id of without) {
        const since = missing.get(id) ?? now
        missing.set(id, since)
        if (now - since > pathTime) return `${id} has no path since ${now - since} ms`
      }
      return undefined
    }
  },

  "every request is answered once": everyoneIsAnswered,

  "names last": (world) => {
    const names = new Map<string, { readonly name: string; readonly since: number; isKept: boolean }>()
    const isNewLife = lives(world)
    return () => {
      // no camera waits for the disk: one that was named just now may be named anew after a power cut
      if (isNewLife()) for (const [key, { isKept }] of names) if (!isKept) names.delete(key)
      for (const camera of world.cameras) {
        const name = deviceOf(world, camera)
        if (name === undefined) continue
        const before = names.get(camera.key)
        if (before === undefined) names.set(camera.key, { name, since: world.passed(), isKept: false })
        else if (before.name !== name) return `the camera ${camera.key} was ${before.name} and is ${name}`
        else before.isKept ||= world.passed() - before.since > keptAfter && world.diskWorksSince() <= before.since
      }
      return undefined
    }
  },

  "what is being written stays": (world) => {
    const written = new Map<string, string>()
    world.hear((fact) => {
      if (fact._tag === "RecordingWriting") written.set(fact.camera, fact.filename)
      else if (fact._tag.startsWith("Recording") && "camera" in fact) written.delete(fact.camera)
    })
    const isNewLife = lives(world)
    return () => {
      if (isNewLife()) written.clear()
      for (const camera of written.keys()) {
        // a file whose stream broke off is whole, or soon will be, though nobody was told yet
        const stream = streamsOf(world).find((one) => one.name === camera)
        const isWritten = stream !== undefined && SubscriptionRef.getUnsafe(stream.state)._tag === "Ready"
        if (!isWritten) written.delete(camera)
      }
      if (written.size === 0) return undefined
      const there = new Set(world.ground.disk.outside.names("/data/recordings"))
      const lost = [...written.values()].find((name) => !there.has(name))
      return lost === undefined ? undefined : `${lost} is being written, and was deleted`
    }
  },

  "what is remembered is bounded": (world) => () => {
    const devices = world.life === undefined ? 0 : Context.get(world.life.nouns, Devices).list().length
    const most = world.cameras.length + 1
    if (devices > most) return `${devices} cameras are known, of ${most}`
    const sleepers = world.sleepers()
    return sleepers > mostSleepers ? `${sleepers} fibers wait for their time` : undefined
  }
}
