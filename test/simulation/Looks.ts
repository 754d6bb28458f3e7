import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Devices } from "../../src/device/Devices.ts"
import { Health } from "../../src/health/Health.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { contentTypeOf, type FileKind, isFileName } from "../../src/storage/Names.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { publishers } from "./Invariants.ts"
import { deviceOf, type World } from "./World.ts"

/** What is as desired once nothing is wrong any more; each within its time, in simulated seconds. */

/** Lets time pass until nothing is wrong, which `look` tells. */
export const within = Effect.fnUntraced(function* (
  seconds: number,
  world: World,
  look: Effect.Effect<string | undefined>
) {
  const end = world.passed() + seconds * 1000
  for (;;) {
    const wrong = yield* look
    if (wrong === undefined) return
    if (world.passed() > end) return yield* Effect.die(new Error(`all is well ${seconds} s after the chaos: ${wrong}`))
    yield* Effect.sleep("500 millis")
  }
})

/** All that is known without a look at the cameras themselves: an idle one that was frozen is not known to work again. */
export const isBack = (world: World) =>
  Effect.gen(function* () {
    if (world.life === undefined) return "the service does not run"
    const { clients, nouns } = world.life
    const { _tag } = yield* SubscriptionRef.get(Context.get(nouns, MediaMtx).state)
    if (_tag !== "Running") return `MediaMTX is ${_tag}`
    for (const camera of world.cameras) {
      const device = Context.get(nouns, Devices)
        .list()
        .find(({ id }) => id === deviceOf(world, camera))
      if (device === undefined) return `the camera ${camera.key} is not known`
      if (device.status === "DISCONNECTED" || device.formats.length === 0) {
        return `${device.id} is ${device.fault?.kind ?? device.status}`
      }
      if ((yield* world.ground.mediaMtx.options(device.id)) === undefined) return `${device.id} has no path`
    }
    for (const { isConnected, name, open } of clients) {
      const [first] = open.values()
      if (isConnected() && first !== undefined) {
        return `${name} was not answered: ${first.method}, asked ${Math.round(world.passed() - first.since)} ms ago`
      }
    }
    return undefined
  })

export const isHealthy = (world: World) =>
  Effect.sync(() => {
    if (world.life === undefined) return "the service does not run"
    const { reasons, status } = Context.get(world.life.nouns, Health).now()
    return status === "HEALTHY" ? undefined : `it is ${status}: ${reasons.join("; ")}`
  })

const folders = { recording: "/data/recordings", snapshot: "/data/snapshots" } as const

const disagreement = (world: World, kind: FileKind) =>
  Effect.gen(function* () {
    if (world.life === undefined) return "the service does not run"
    const index = Context.get(world.life.nouns, FileIndex)
    const page = { limit: 10_000, offset: 0, devices: undefined }
    const listed = yield* index.list(kind, page)
    const known = new Map(listed.files.map(({ bytes, filename }) => [filename, bytes]))
    const { names, read } = world.ground.disk.outside
    for (const name of names(folders[kind])) {
      if (!isFileName(name) || contentTypeOf(kind, name) === undefined) continue
      const bytes = known.get(name)
      const there = read(`${folders[kind]}/${name}`).length
      // what a power cut made of a picture that was not synced yet is not shown
      if (kind === "snapshot" && there === 0) continue
      if (bytes === undefined) return `${name} is on the disk and not in the index`
      if (bytes !== there) return `${name} has ${there} bytes, the index says ${bytes}`
      known.delete(name)
    }
    const [left] = known.keys()
    return left === undefined ? undefined : `${left} is in the index and not on the disk`
  }).pipe(Effect.catch(({ detail }) => Effect.succeed(`the index fails: ${detail}`)))

export const agrees = (world: World) =>
  Effect.flatMap(disagreement(world, "recording"), (wrong) =>
    wrong === undefined ? disagreement(world, "snapshot") : Effect.succeed(wrong)
  )

/** At rest: polls, of which there are 12 (measured), those of a camera in the network, and who looks. */
const mostAtRest = 18

/** Seconds: an FFmpeg stands by for two minutes after a picture. */
export const forgetsWithin = 150

/** Nothing is left of what happened. */
export const hasForgotten = (world: World) =>
  Effect.sync(() => {
    const left = world.running().find(({ program }) => program !== "mediamtx")
    if (left !== undefined) return `${left.program} runs for nobody`
    return world.sleepers() > mostAtRest ? `${world.sleepers()} fibers wait for their time` : undefined
  })

export const isIdle = (world: World) =>
  Effect.sync(() => {
    const [publisher] = publishers(world)
    if (publisher !== undefined) return `FFmpeg publishes ${publisher.camera} for nobody`
    const [stream] = world.life === undefined ? [] : Context.get(world.life.nouns, Streams).all()
    return stream === undefined ? undefined : `${stream.camera} has a stream for nobody`
  })
