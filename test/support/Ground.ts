import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner, make as makeSpawner } from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as RealGround from "../../src/ground/Ground.ts"
import { type Work, workOf } from "../../testing/FfmpegWork.ts"
import * as PassingTime from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { isAlive } from "./Processes.ts"

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

/** What the service stands on in a test, and what a test does to it, on any ground. */
export class Ground extends Context.Service<
  Ground,
  {
    /** every FFmpeg and ffprobe that was started, oldest first */
    readonly children: () => ReadonlyArray<Seen>
    /** MediaMTX crashes; the service starts it again, with no paths */
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

const isOurs = (program: string) => program === "ffmpeg" || program === "ffprobe"

/** Nothing but memory and the test's clock. */
export const testGround = Layer.effect(
  Ground,
  Effect.map(TestGround, ({ mediaMtx, programs }) =>
    Ground.of({
      children: () =>
        SubscriptionRef.getUnsafe(programs.processes)
          .filter(({ program }) => isOurs(program))
          .map(({ args, isRunning, kill, pid, program, temper }) => ({
            pid,
            work: workOf(program, args),
            args,
            running: isRunning,
            kill,
            freeze: SubscriptionRef.set(temper, "stopped")
          })),
      crashMediaMtx: mediaMtx.crash,
      step: PassingTime.step,
      patience: 1500
    })
  )
).pipe(Layer.provideMerge(TestGround.layer))

const signal = (pid: number, name: NodeJS.Signals) => Effect.sync(() => void process.kill(pid, name))

/** The program and its arguments, without what sets its priority. */
const innerCommand = (command: ChildProcess.Command): ReadonlyArray<string> => {
  if (command._tag !== "StandardCommand") return []
  const words = [command.command, ...command.args].map((word) =>
    Redacted.isRedacted(word) ? Redacted.value(word) : word
  )
  return words[0] === "nice" ? words.slice(3) : words
}

/** This machine, with the real FFmpeg, ffprobe and MediaMTX. */
export const realGround = Layer.effectContext(
  Effect.gen(function* () {
    const real = yield* ChildProcessSpawner
    const started: Array<Seen> = []
    const mediaMtxPids: Array<number> = []
    const spawner = makeSpawner((command) =>
      Effect.tap(real.spawn(command), ({ pid }) =>
        Effect.sync(() => {
          const [program = "", ...args] = innerCommand(command)
          if (program === "mediamtx") mediaMtxPids.push(pid)
          if (!isOurs(program)) return
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
      patience: 3000
    })
    return Context.make(Ground, ground).pipe(Context.add(ChildProcessSpawner, spawner))
  })
).pipe(Layer.provideMerge(RealGround.layer))
