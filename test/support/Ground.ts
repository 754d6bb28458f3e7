import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChildProcessSpawner, make as makeSpawner } from "effect/process/ChildProcessSpawner"
import * as TestClock from "effect/testing/TestClock"
import { stat } from "node:fs/promises"
import type { Tickets } from "../../src/auth/Tickets.ts"
import type { Settings } from "../../src/config/Settings.ts"
import * as Children from "../../src/ground/Children.ts"
import type { Disk } from "../../src/ground/Disk.ts"
import type { Loopback } from "../../src/ground/Loopback.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import type { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import { FakeFfmpeg, type Work, workOf } from "./FakeFfmpeg.ts"
import { FakeMediaMtxApi } from "./FakeMediaMtxApi.ts"
import { fakeSpawner, innerCommand } from "./FakeSpawner.ts"

/** A file is looked at, put into the list and told of in so many calls, and more. */
const diskTurns = 10

/** A child of the service, as one sees it from outside. */
export interface Seen {
  readonly pid: number
  readonly work: Work
  readonly args: ReadonlyArray<string>
  readonly running: () => boolean
  /** SIGKILL */
  readonly kill: Effect.Effect<void>
  /** SIGSTOP: it lives and does nothing */
  readonly freeze: Effect.Effect<void>
}

/** What the service stands on in a test, and what a test does to it. */
export class Ground extends Context.Service<
  Ground,
  {
    /** every FFmpeg and ffprobe that was started, oldest first */
    readonly children: () => ReadonlyArray<Seen>
    /** MediaMTX crashes; the service or the fake starts it again, with no paths */
    readonly crashMediaMtx: Effect.Effect<void>
    /** lets a little time pass */
    readonly step: Effect.Effect<void>
    /** how many steps something may take at most */
    readonly patience: number
  }
>()("camera-service/test/Ground") {}

/** Lets time pass until there is something; dies with `what` when that does not come. */
export const until = Effect.fnUntraced(function* <A, E, R>(
  what: string,
  look: Effect.Effect<A | undefined | false, E, R>
) {
  const { patience, step } = yield* Ground
  for (let i = 0; i < patience; i++) {
    const found = yield* look
    if (found !== undefined && found !== false) return found
    yield* step
  }
  return yield* Effect.die(new Error(`never came: ${what}`))
})

export const children = (work: Work) =>
  Effect.map(Ground, (ground) => ground.children().filter((child) => child.work === work))

export const running = (work: Work) => Effect.map(children(work), (all) => all.filter((child) => child.running()))

type GroundLayer = Layer.Layer<
  Ground | ChildProcessSpawner | MediaMtxApi | MediaMtx,
  unknown,
  Settings | Tickets | MediaMtxKey | Disk | Loopback
>

/** The fake MediaMTX with the fake recorder in it. */
const recordingMediaMtx = Layer.effect(
  MediaMtxApi,
  Effect.gen(function* () {
    const api = yield* MediaMtxApi
    const { reconfigured } = yield* FakeFfmpeg
    return MediaMtxApi.of({
      ...api,
      patchPath: (name, options) => Effect.tap(api.patchPath(name, options), () => reconfigured(name)),
      replacePath: (name, options) => Effect.tap(api.replacePath(name, options), () => reconfigured(name))
    })
  })
)

/** Nothing but memory and the test's clock. */
export const fakeGround = Layer.effect(
  Ground,
  Effect.gen(function* () {
    const ffmpeg = yield* FakeFfmpeg
    const mtx = yield* FakeMediaMtxApi
    return Ground.of({
      children: () =>
        ffmpeg.children.map((child) => ({
          pid: child.pid,
          work: child.work,
          args: child.args,
          running: () => child.running,
          kill: Effect.sync(() => child.end({ signal: "SIGKILL" })),
          freeze: Effect.sync(() => {
            child.frozen = true
          })
        })),
      crashMediaMtx: mtx.restart,
      // the disk is a real one: it gets its turn between two steps of the clock
      step: Effect.andThen(
        TestClock.adjust("20 millis"),
        Effect.promise(async () => {
          await new Promise<void>((resolve) => setTimeout(resolve, 1))
          // on a busy machine a millisecond is no time: what was asked of the disk before is answered first
          for (let i = 0; i < diskTurns; i++) await stat(import.meta.dirname)
        })
      ),
      patience: 1500
    })
  })
).pipe(
  Layer.provideMerge(fakeSpawner),
  Layer.provideMerge(recordingMediaMtx),
  Layer.provideMerge(FakeFfmpeg.layer),
  Layer.provideMerge(FakeMediaMtxApi.layer)
)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const signal = (pid: number, name: NodeJS.Signals) => Effect.sync(() => void process.kill(pid, name))

/** The real FFmpeg, ffprobe and MediaMTX. */
export const realGround: GroundLayer = Layer.effectContext(
  Effect.gen(function* () {
    const real = yield* ChildProcessSpawner
    const started: Array<Seen> = []
    const mediaMtxPids: Array<number> = []
    const spawner = makeSpawner((command) =>
      Effect.tap(real.spawn(command), ({ pid }) =>
        Effect.sync(() => {
          const [program = "", ...args] = innerCommand(command)
          if (program === "mediamtx") mediaMtxPids.push(pid)
          if (program !== "ffmpeg" && program !== "ffprobe") return
          started.push({
            pid,
            work: workOf(program, args),
            args,
            running: () => isAlive(pid),
            kill: signal(pid, "SIGKILL"),
            freeze: signal(pid, "SIGSTOP")
          })
        })
      )
    )
    const ground = Ground.of({
      children: () => started,
      crashMediaMtx: Effect.suspend(() => signal(mediaMtxPids.at(-1) ?? 0, "SIGKILL")),
      step: Effect.sleep("20 millis"),
      patience: 750
    })
    return Context.make(Ground, ground).pipe(Context.add(ChildProcessSpawner, spawner))
  })
).pipe(Layer.provide(Children.layer), (spawner) =>
  MediaMtx.layer.pipe(Layer.provideMerge(MediaMtxApi.layer), Layer.provideMerge(spawner))
)
