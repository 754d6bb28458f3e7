import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import type * as ChildProcess from "effect/process/ChildProcess"
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
import { type Ending, type FakeChild, FakeFfmpeg, workOf } from "./FakeFfmpeg.ts"

/** How long a child that ignores SIGTERM lives on: what `process/Child.ts` asks of the real spawner. */
const forceKillAfter = "3 seconds"

/** The program and its arguments, without what sets its priority. */
export const innerCommand = (command: ChildProcess.Command): ReadonlyArray<string> => {
  if (command._tag !== "StandardCommand") return []
  const words = [command.command, ...command.args].map((word) =>
    Redacted.isRedacted(word) ? Redacted.value(word) : word
  )
  return words[0] === "nice" ? words.slice(3) : words
}

const signalled = (signal: string) =>
  PlatformError.systemError({
    _tag: "Unknown",
    module: "ChildProcess",
    method: "exitCode",
    cause: new Error(`Process interrupted due to receipt of signal: '${signal}'`)
  })

/** Starts no process: `FakeFfmpeg` plays each. */
export const fakeSpawner = Layer.effect(
  ChildProcessSpawner,
  Effect.gen(function* () {
    const ffmpeg = yield* FakeFfmpeg
    let pids = 1000

    return makeSpawner(
      Effect.fnUntraced(function* (command: ChildProcess.Command) {
        const [program = "", ...args] = innerCommand(command)
        if (workOf(program, args) === "publish" && ffmpeg.faults.defects > 0) {
          ffmpeg.faults.defects--
          return yield* Effect.die(new Error("a defect"))
        }
        const ended = yield* Deferred.make<Ending>()
        const stdout = yield* Queue.unbounded<Uint8Array, Cause.Done>()
        const stderr = yield* Queue.unbounded<Uint8Array, Cause.Done>()
        const fd3 = yield* Queue.unbounded<Uint8Array, Cause.Done>()
        const pid = pids++
        const child: FakeChild = {
          pid,
          work: workOf(program, args),
          program,
          args,
          running: true,
          frozen: false,
          stubborn: ffmpeg.faults.stubborn,
          stdout: (bytes) => Queue.offerUnsafe(stdout, bytes),
          fd3: (text) => Queue.offerUnsafe(fd3, Buffer.from(text)),
          stderr: (text) => Queue.offerUnsafe(stderr, Buffer.from(text)),
          end: (ending) => {
            if (!child.running) return
            child.running = false
            if (ending.stderr !== undefined) Queue.offerUnsafe(stderr, Buffer.from(ending.stderr))
            for (const pipe of [stdout, stderr, fd3]) Queue.endUnsafe(pipe)
            Deferred.doneUnsafe(ended, Effect.succeed(ending))
          }
        }
        ffmpeg.children.push(child)
        // killed from outside, the play is over too
        const playing = Effect.raceFirst(ffmpeg.play(child), Deferred.await(ended))
        yield* Effect.forkScoped(Effect.map(playing, child.end))
        yield* Effect.addFinalizer(() =>
          Effect.gen(function* () {
            if (child.running && (child.frozen || child.stubborn)) {
              yield* Effect.timeoutOption(Deferred.await(ended), forceKillAfter)
              child.end({ signal: "SIGKILL" })
            }
            child.end({ signal: "SIGTERM" })
          })
        )
        const exitCode = Effect.flatMap(Deferred.await(ended), ({ code, signal }) =>
          signal === undefined ? Effect.succeed(ExitCode(code ?? 0)) : Effect.fail(signalled(signal))
        )
        return makeHandle({
          pid: ProcessId(pid),
          exitCode,
          isRunning: Effect.sync(() => child.running),
          kill: () => Effect.sync(() => child.end({ signal: "SIGTERM" })),
          stdin: Sink.drain,
          stdout: Stream.fromQueue(stdout),
          stderr: Stream.fromQueue(stderr),
          all: Stream.merge(Stream.fromQueue(stdout), Stream.fromQueue(stderr)),
          getInputFd: () => Sink.drain,
          getOutputFd: () => Stream.fromQueue(fd3),
          unref: Effect.succeed(Effect.void)
        })
      })
    )
  })
)
