import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Fault } from "../../testing/DiskFaults.ts"
import type { WorkFaults } from "../../testing/FfmpegFaults.ts"
import type { MediaMtxFaults } from "../../testing/MediaMtxFaults.ts"
import type { PlayedProcess } from "../../testing/Programs.ts"
import type { Action } from "./Actions.ts"
import { oneOf, settings, someName, type World } from "./World.ts"

const freeze = (world: World, process: PlayedProcess | undefined): Effect.Effect<void> => {
  if (process === undefined) return Effect.void
  const { pid, program, temper } = process
  const name = `${program === "mediamtx" ? "MediaMTX" : "FFmpeg"} ${pid} stopped`
  return Effect.andThen(
    SubscriptionRef.set(temper, "stopped"),
    world.suffer(name, SubscriptionRef.set(temper, "obedient"))
  )
}

const mediaMtxFaults: ReadonlyArray<readonly [Partial<MediaMtxFaults>, Partial<MediaMtxFaults>]> = [
  [{ hangs: true }, { hangs: false }],
  [{ breaks: true }, { breaks: false }],
  [{ answers: 500 }, { answers: undefined }],
  [{ refusals: 3 }, { refusals: 0 }],
  [{ idles: true }, { idles: false }]
]

const diskFaults: ReadonlyArray<Fault> = [
  { name: "full" },
  { name: "full", freeBytes: 20_000 },
  { name: "read-only" },
  { name: "small", bytes: 3_000_000 },
  { name: "slow", by: "300 millis" },
  { name: "slow", by: "3 seconds", calls: ["sync"] },
  { name: "hung" },
  { name: "hung", calls: ["sync", "rename"] },
  { name: "sync fails" },
  { name: "sync fails", times: 1 },
  { name: "no watches" },
  { name: "no renames" },
  { name: "no links" }
]

const workFaults: ReadonlyArray<readonly [WorkFaults, WorkFaults]> = [
  [{ remux: { error: "Invalid data" } }, { remux: undefined }],
  [{ remux: "hangs" }, { remux: undefined }],
  [{ remux: "writes nothing" }, { remux: undefined }],
  [{ probe: { error: "Invalid data" } }, { probe: undefined }],
  [{ convert: "hangs" }, { convert: undefined }],
  [{ convert: { error: "no encoder" } }, { convert: undefined }]
]

const changesByHand = [{ overridePublisher: true }, { maxReaders: 1 }, { record: true }, { record: false }]

const ffmpegs = (world: World) => world.running().filter(({ program }) => program === "ffmpeg")
const mediaMtx = (world: World) => world.running().find(({ program }) => program === "mediamtx")

/** The wall clock is set by seconds or hours, or the machine has slept for a night, which the monotonic clock does not count. */
const clockSteps = [-7200, -30, -2, 2, 30, 7200, 28_800]

/** What a file says that is read again while the service runs. */
const configurations = [{}, { segment: 10 }, { resume: 5 }, { processes: 2 }]

/** The service lives to make so many calls to the disk: often it dies in the midst of a file. */
const someCalls = (chance: () => number): number => Math.floor(chance() * 12)

export const machineActions: Readonly<Record<string, Action>> = {
  "MediaMTX is killed": { weight: 3, run: (world) => world.ground.mediaMtx.crash },
  "MediaMTX freezes": { weight: 1, run: (world) => freeze(world, mediaMtx(world)) },
  "MediaMTX suffers": {
    weight: 3,
    run: (world, chance) => {
      const [suffered, over] = oneOf(mediaMtxFaults, chance) ?? [{}, {}]
      const { disturb } = world.ground.mediaMtx
      return Effect.andThen(disturb(suffered), world.suffer(`MediaMTX ${Object.keys(suffered).join()}`, disturb(over)))
    }
  },
  "a path is changed by hand": {
    weight: 1,
    run: (world, chance) => world.ground.mediaMtx.patch(someName(world, chance), oneOf(changesByHand, chance) ?? {})
  },

  "FFmpeg is killed": { weight: 4, run: (world, chance) => oneOf(ffmpegs(world), chance)?.kill ?? Effect.void },
  "FFmpeg freezes": { weight: 2, run: (world, chance) => freeze(world, oneOf(ffmpegs(world), chance)) },
  "FFmpeg's work suffers": {
    weight: 2,
    run: (world, chance) => {
      const [suffered, over] = oneOf(workFaults, chance) ?? [{}, {}]
      const { disturbWork } = world.ground.ffmpeg
      return Effect.andThen(
        disturbWork(suffered),
        world.suffer(`work ${Object.keys(suffered).join()}`, disturbWork(over))
      )
    }
  },

  "the disk suffers": {
    weight: 4,
    run: Effect.fnUntraced(function* (world, chance) {
      const fault = oneOf(diskFaults, chance)
      const name = `disk ${JSON.stringify(fault)}`
      if (fault === undefined || world.suffering.has(name)) return
      const scope = yield* Scope.make()
      yield* Scope.provide(world.ground.disk.suffer(fault), scope)
      yield* world.suffer(name, Scope.close(scope, Exit.void))
    })
  },
  "the index has no room": {
    weight: 1,
    run: (world) => {
      world.ground.databases.full(true)
      return world.suffer(
        "disk of the index",
        Effect.sync(() => world.ground.databases.full(false))
      )
    }
  },

  "something is put right": {
    weight: 22,
    run: (world, chance) => {
      const [name, over] = oneOf([...world.suffering], chance) ?? []
      if (name === undefined || over === undefined) return Effect.void
      world.suffering.delete(name)
      world.trace.note("over", name)
      return over
    }
  },

  "the clock is set": {
    weight: 2,
    run: (world, chance) => Effect.sync(() => world.setClockBy((oneOf(clockSteps, chance) ?? 0) * 1000))
  },

  "the service is killed": { weight: 3, run: (world, chance) => world.kill("is killed", someCalls(chance)) },
  "the power is cut": { weight: 5, run: (world, chance) => world.kill("loses its power", someCalls(chance)) },
  "the configuration changes": {
    weight: 1,
    run: (world, chance) =>
      Effect.suspend(() => {
        const next = settings(oneOf(configurations, chance))
        return world.life === undefined
          ? Effect.void
          : SubscriptionRef.set(world.life.settings.live, SubscriptionRef.getUnsafe(next.live))
      })
  },

  "the service ends": { weight: 1, run: (world) => world.shutDown },
  "the service starts": { weight: 12, run: (world) => (world.life === undefined ? world.boot : Effect.void) }
}
