import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as ChildProcess from "effect/process/ChildProcess"
import {
  ChildProcessSpawner,
  ExitCode,
  make as makeSpawner,
  makeHandle,
  ProcessId
} from "effect/process/ChildProcessSpawner"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"

/** What a process wrote; a character is a byte. */
interface Output {
  readonly stdout?: string
  readonly stderr?: string
}

/** A process that is none: the test ends it. */
export interface FakeProcess {
  readonly argv: ReadonlyArray<string>
  /** What was added to its environment. */
  readonly env: Readonly<Record<string, unknown>>
  /** It writes this on its standard output, and goes on. */
  readonly say: (stdout: string) => Effect.Effect<void>
  /** Ends it with a status; what it wrote comes out first. */
  readonly end: (status: number, output?: Output) => Effect.Effect<void>
  /** Ends it as a signal does that it did not ask for. */
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
}

const bytes = (text: string | undefined) =>
  text === undefined ? Stream.empty : Stream.make(Buffer.from(text, "latin1"))

/** As the real spawner says it. */
const killedBy = (signal: NodeJS.Signals) =>
  PlatformError.systemError({
    _tag: "Unknown",
    module: "ChildProcess",
    method: "exitCode",
    cause: new Error(`Process interrupted due to receipt of signal: '${signal}'`)
  })

/** As Node says of a program that the kernel did not start. */
export const notSpawned = (code: string) =>
  PlatformError.systemError({
    _tag: code === "ENOENT" ? "NotFound" : "Unknown",
    module: "ChildProcess",
    method: "spawn",
    cause: Object.assign(new Error(`spawn setpriv ${code}`), { code })
  })

/** A spawner that starts nothing, and the processes that were asked for, in order. */
export const fakeSpawner = Effect.gen(function* () {
  const started = yield* Queue.unbounded<FakeProcess>()
  let running = 0
  let pid = 1000
  let refusal: string | undefined
  const spawner = makeSpawner((command) =>
    Effect.gen(function* () {
      if (refusal !== undefined) return yield* notSpawned(refusal)
      const exit = yield* Deferred.make<number, PlatformError.PlatformError>()
      const said = yield* Queue.unbounded<Uint8Array, Cause.Done>()
      let written: Output = {}
      const afterExit = (pick: () => string | undefined) =>
        Stream.unwrap(Effect.map(Effect.exit(Deferred.await(exit)), () => bytes(pick())))
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          running++
        }),
        () =>
          Effect.sync(() => {
            running--
            Queue.endUnsafe(said)
            Deferred.doneUnsafe(exit, Exit.succeed(143))
          })
      )
      const standard = ChildProcess.isStandardCommand(command) ? command : undefined
      const stdout = Stream.concat(
        Stream.fromQueue(said),
        afterExit(() => written.stdout)
      )
      const stderr = afterExit(() => written.stderr)
      yield* Queue.offer(started, {
        argv: [standard?.command ?? "", ...(standard?.args ?? [])].map((word) =>
          Redacted.isRedacted(word) ? Redacted.value(word) : word
        ),
        env: standard?.options.env ?? {},
        say: (text) => Effect.asVoid(Queue.offer(said, Buffer.from(text, "latin1"))),
        end: (status, output = {}) =>
          Effect.suspend(() => {
            written = output
            Queue.endUnsafe(said)
            return Deferred.succeed(exit, status)
          }),
        kill: (signal) => Effect.andThen(Queue.end(said), Deferred.fail(exit, killedBy(signal)))
      })
      return makeHandle({
        pid: ProcessId(pid++),
        exitCode: Effect.map(Deferred.await(exit), (status) => ExitCode(status)),
        isRunning: Effect.map(Deferred.isDone(exit), (done) => !done),
        kill: () => Effect.asVoid(Effect.andThen(Queue.end(said), Deferred.succeed(exit, 143))),
        stdin: Sink.drain,
        stdout,
        stderr,
        all: Stream.merge(stdout, stderr),
        getInputFd: () => Sink.drain,
        getOutputFd: () => Stream.empty,
        unref: Effect.succeed(Effect.void)
      })
    })
  )
  return {
    layer: Layer.succeed(ChildProcessSpawner, spawner),
    started,
    running: () => running,
    /** From now on the kernel starts nothing, with this error; undefined: it does again. */
    refuse: (code: string | undefined) => {
      refusal = code
    }
  }
})
