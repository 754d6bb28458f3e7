import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import type * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner, ExitCode, make, makeHandle, ProcessId } from "effect/process/ChildProcessSpawner"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"

/** How a program ended: by itself, or by a signal. */
export interface Ending {
  readonly code?: number
  readonly signal?: string
  /** its last words */
  readonly stderr?: string
}

/** What signals do to a process: stopped (SIGSTOP) or stubborn, only SIGKILL ends it; stopped, it does nothing more. */
export type Temper = "obedient" | "stubborn" | "stopped"

/** A process that is none, as who plays it sees it, and who looks on. */
export interface PlayedProcess {
  readonly pid: number
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** all that is written to it, once that has ended */
  readonly stdin: Effect.Effect<Uint8Array>
  readonly stdout: (bytes: Uint8Array) => void
  readonly stderr: (text: string) => void
  readonly fd3: (text: string) => void
  readonly temper: SubscriptionRef.SubscriptionRef<Temper>
  readonly isRunning: () => boolean
  readonly end: (ending: Ending) => Effect.Effect<void>
  /** SIGKILL */
  readonly kill: Effect.Effect<void>
  readonly ended: Effect.Effect<Ending>
}

/** Plays a program from its arguments to its end; its scope closes with the process, whatever ended that. */
export type Play = (process: PlayedProcess) => Effect.Effect<Ending, never, Scope.Scope>

/** The processes of a test: each program is played by its name; one that is not played is not there. */
export class Programs extends Context.Service<
  Programs,
  {
    /** all that were started, oldest first; told anew with each start and end */
    readonly processes: SubscriptionRef.SubscriptionRef<ReadonlyArray<PlayedProcess>>
    readonly play: (program: string, play: Play) => void
    /** who starts the next program dies of a defect */
    readonly breakNextStart: Effect.Effect<void>
  }
>()("camera-service/testing/Programs") {
  static readonly layer: Layer.Layer<Programs | ChildProcessSpawner> = Layer.effectContext(
    Effect.gen(function* () {
      const processes = yield* SubscriptionRef.make<ReadonlyArray<PlayedProcess>>([])
      const plays = new Map<string, Play>()
      let pids = 1000
      let defects = 0

      const spawner = make(
        Effect.fnUntraced(function* (command: ChildProcess.Command) {
          const [program = "", ...args] = wordsOf(command)
          if (defects > 0) {
            defects--
            return yield* Effect.die(new Error("a defect"))
          }
          const pid = pids++
          const ended = yield* Deferred.make<Ending>()
          const pipes = {
            stdout: yield* Queue.unbounded<Uint8Array, Cause.Done>(),
            stderr: yield* Queue.unbounded<Uint8Array, Cause.Done>(),
            fd3: yield* Queue.unbounded<Uint8Array, Cause.Done>()
          }
          const temper = yield* SubscriptionRef.make<Temper>("obedient")
          const say = (pipe: keyof typeof pipes, text: string) => void Queue.offerUnsafe(pipes[pipe], bytesOf(text))
          const end = Effect.fnUntraced(function* (ending: Ending) {
            if (Deferred.isDoneUnsafe(ended)) return
            if (ending.stderr !== undefined) say("stderr", ending.stderr)
            for (const pipe of Object.values(pipes)) Queue.endUnsafe(pipe)
            yield* Deferred.succeed(ended, ending)
            yield* SubscriptionRef.update(processes, (all) => [...all])
          })
          const process: PlayedProcess = {
            pid,
            program,
            args,
            stdin: stdinOf(command),
            stdout: (bytes) => void Queue.offerUnsafe(pipes.stdout, bytes),
            stderr: (text) => say("stderr", text),
            fd3: (text) => say("fd3", text),
            temper,
            isRunning: () => !Deferred.isDoneUnsafe(ended),
            end,
            kill: end({ signal: "SIGKILL" }),
            ended: Deferred.await(ended)
          }
          yield* SubscriptionRef.update(processes, (all) => [...all, process])
          const play = plays.get(program) ?? (() => Effect.succeed(missing(program)))
          // ended from outside, the play is over too
          const playing = Effect.scoped(Effect.raceFirst(play(process), process.ended))
          yield* Effect.forkScoped(Effect.flatMap(playing, end), { startImmediately: true })
          yield* Effect.addFinalizer(() =>
            Effect.gen(function* () {
              if ((yield* SubscriptionRef.get(temper)) !== "obedient") {
                yield* Effect.timeoutOption(process.ended, patienceOf(command))
                yield* process.kill
              }
              yield* end({ signal: "SIGTERM" })
            })
          )
          return makeHandle({
            pid: ProcessId(pid),
            exitCode: Effect.flatMap(process.ended, ({ code, signal }) =>
              signal === undefined ? Effect.succeed(ExitCode(code ?? 0)) : Effect.fail(signalled(signal))
            ),
            isRunning: Effect.sync(process.isRunning),
            kill: () => end({ signal: "SIGTERM" }),
            stdin: Sink.drain,
            stdout: Stream.fromQueue(pipes.stdout),
            stderr: Stream.fromQueue(pipes.stderr),
            all: Stream.merge(Stream.fromQueue(pipes.stdout), Stream.fromQueue(pipes.stderr)),
            getInputFd: () => Sink.drain,
            getOutputFd: () => Stream.fromQueue(pipes.fd3),
            unref: Effect.succeed(Effect.void)
          })
        })
      )

      const programs = Programs.of({
        processes,
        play: (program, play) => void plays.set(program, play),
        breakNextStart: Effect.sync(() => {
          defects++
        })
      })
      return Context.make(Programs, programs).pipe(Context.add(ChildProcessSpawner, spawner))
    })
  )
}

/** How long a child that ignores SIGTERM lives on. */
const patienceOf = (command: ChildProcess.Command): Duration.Input =>
  (command._tag === "StandardCommand" ? command.options.forceKillAfter : undefined) ?? Duration.infinity

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The program and its arguments, without what sets its priority. */
const wordsOf = (command: ChildProcess.Command): ReadonlyArray<string> => {
  if (command._tag !== "StandardCommand") return []
  const words = [command.command, ...command.args].map((word) =>
    Redacted.isRedacted(word) ? Redacted.value(word) : word
  )
  return words[0] === "nice" ? words.slice(3) : words
}

const stdinOf = (command: ChildProcess.Command): Effect.Effect<Uint8Array> => {
  const input = command._tag === "StandardCommand" ? command.options.stdin : undefined
  return Stream.isStream(input)
    ? Effect.orDie(Stream.mkUint8Array(input as Stream.Stream<Uint8Array>))
    : Effect.succeed(bytesOf(""))
}

const missing = (program: string): Ending => ({ code: 127, stderr: `exec: ${program}: not found\n` })

/** As Node's spawner tells it. */
const signalled = (signal: string) =>
  PlatformError.systemError({
    _tag: "Unknown",
    module: "ChildProcess",
    method: "exitCode",
    cause: new Error(`Process interrupted due to receipt of signal: '${signal}'`)
  })
