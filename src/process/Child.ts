import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as PlatformError from "effect/PlatformError"
import * as ChildProcess from "effect/process/ChildProcess"
import type * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { NotStarted, ProgramMissing } from "../config/StartupErrors.ts"
import { codeOf } from "../ground/DiskError.ts"
import { lineSplitter, tail } from "./Lines.ts"
import { maskSecrets } from "./MaskSecrets.ts"
import { atPriority } from "../self/Priority.ts"
import { RunningPrograms } from "../telemetry/Metrics.ts"

/** How a child ended. */
export interface ChildExit {
  /** Its exit status; `undefined` when a signal ended it. */
  readonly code: number | undefined
  readonly signal?: string
  /** The last lines of its standard error, without credentials. */
  readonly stderr: string
  /** The program could not be run: it is not on the PATH or may not be executed. */
  readonly missing: boolean
}

export interface Child {
  /** The program's own process id, and its process group's. */
  readonly pid: number
  /** Empty unless `stdout` is `"pipe"`. Not reading it holds the program up, as in a shell. */
  readonly stdout: Stream.Stream<Uint8Array, PlatformError.PlatformError>
  /** What it writes to descriptor 3; empty unless `fd3` is set. */
  readonly fd3: Stream.Stream<Uint8Array, PlatformError.PlatformError>
  /** The last lines of its standard error so far, without credentials. */
  readonly said: () => string
  /** Completes when it has ended, by whatever cause. */
  readonly exit: Effect.Effect<ChildExit>
}

export interface ChildCommand {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly stdin?: Stream.Stream<Uint8Array>
  readonly stdout: "pipe" | "ignore"
  readonly fd3?: boolean
  /** It works for long on all cores: at the usual priority, also where the service's own is higher. */
  readonly isHeavy?: boolean
  /** It writes to its pipes alone, and is killed at once: one that waits for a pipe to be read hears no SIGTERM. */
  readonly isKilled?: boolean
  /** Gets each line of its standard error as it comes, too; without credentials. */
  readonly hears?: (line: string) => void
  /** Whether a line of its standard error is one of those that tell how it ended; absent: each is. */
  readonly keeps?: (line: string) => boolean
  /** Added to the environment that the service runs in. */
  readonly env?: Readonly<Record<string, string>>
}

const stderrLines = 20
const stderrLineBytes = 400
// A grandchild may keep the pipe open for ever; what a program said is in the pipe by the time it has exited.
const pipeGrace = "200 millis"

/** So the ground says it (`ground/Children.ts`); no program that we run uses these itself. */
const couldNotRun = (code: number | undefined) => code === 126 || code === 127

const signalOf = (error: PlatformError.PlatformError) => {
  const text = error.cause instanceof Error ? error.cause.message : String(error.cause)
  return /'(SIG[A-Z0-9]+)'/.exec(text)?.[1] ?? "SIGKILL"
}

/** The line that says most: the last fatal or error line, else the last one that is no mere warning. */
const telling = (stderr: string): string => {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "")
  const worst = lines.filter((line) => /\[(fatal|error|panic)\]/.test(line)).slice(-2)
  return (worst.length > 0 ? worst : lines.filter((line) => !line.includes("[warning]")).slice(-1))
    .join("; ")
    .replace(/\[(fatal|error|panic|warning)\] /g, "")
}

/** Why a process that should not have ended (yet) did; in its own words where it left some. */
export const describeExit = (program: string, exit: ChildExit): string => {
  if (exit.missing) return `${program} was not found`
  const how = exit.signal === undefined ? `ended with status ${exit.code}` : `was ended by ${exit.signal}`
  const why = telling(exit.stderr)
  return why === "" ? `${program} ${how}` : `${program} ${how}: ${why}`
}

type Spawner = ChildProcessSpawner.ChildProcessSpawner["Service"]

const standardCommand = ({ args, env, fd3, isHeavy, isKilled, program, stdin, stdout }: ChildCommand) => {
  const [first = program, ...words] = [...atPriority(isHeavy === true), program, ...args]
  return ChildProcess.make(
    first,
    words.map((word) => Redacted.make(word)),
    {
      stdin: stdin ?? "ignore",
      stdout,
      stderr: "pipe",
      ...(fd3 ? { additionalFds: { fd3: { type: "output" } } } : {}),
      ...(env ? { env, extendEnv: true } : {}),
      killSignal: isKilled === true ? "SIGKILL" : "SIGTERM",
      forceKillAfter: "2 seconds"
    }
  )
}

/** What to do where the kernel starts nothing: its errors that Node tells of a spawn (fork(2), pipe(2), socketpair(2)). */
const spawnHints: Readonly<Record<string, string>> = {
  EMFILE: "the service has as many files and connections open as it may: raise LimitNOFILE= of its unit, or ulimit -n",
  ENFILE: "the machine has as many files open as it may: raise fs.file-max (sysctl)",
  EAGAIN: "there are as many processes as there may be: raise TasksMax= of the service's unit, or ulimit -u"
}

const notSpawned = (program: string, { cause, message }: PlatformError.PlatformError) => {
  const detail = maskSecrets(cause instanceof Error ? cause.message : message)
  const code = codeOf(cause)
  if (code === "ENOENT") return new ProgramMissing({ program: "setpriv", hint: `install util-linux (${detail})` })
  const hint = spawnHints[code] ?? "see whether the service's user may run setpriv (util-linux) and /bin/sh"
  return new NotStarted({ program: maskSecrets(program), detail, hint })
}

/** Reads what a child writes on its standard error, to its end or that of the scope. */
const hearErrors = Effect.fnUntraced(function* (
  stderr: Stream.Stream<Uint8Array, PlatformError.PlatformError>,
  { hears, keeps }: ChildCommand,
  scope: Scope.Scope
) {
  const said = tail(stderrLines)
  const splitter = lineSplitter(stderrLineBytes, (line) => {
    const masked = maskSecrets(line)
    if (keeps?.(masked) !== false) said.add(masked)
    hears?.(masked)
  })
  const reading = yield* stderr.pipe(
    Stream.runForEachArray((chunks) => Effect.sync(() => chunks.forEach(splitter.push))),
    Effect.ignore,
    Effect.forkIn(scope, { startImmediately: true })
  )
  const lastWords = Effect.map(Effect.timeoutOption(Fiber.await(reading), pipeGrace), () => {
    splitter.flush()
    return said.text()
  })
  return { said: said.text, lastWords }
})

const exitOf = (exit: Exit.Exit<number, PlatformError.PlatformError>, stderr: string): ChildExit => {
  const code = Exit.isSuccess(exit) ? Number(exit.value) : undefined
  const failure = Exit.isFailure(exit) ? exit.cause.reasons.find((reason) => reason._tag === "Fail") : undefined
  return {
    code,
    ...(failure ? { signal: signalOf(failure.error) } : {}),
    stderr,
    missing: couldNotRun(code)
  }
}

/**
 * Starts a program for as long as the scope lives. Closing the scope sends SIGTERM to its process group and SIGKILL 2 s
 * later (or SIGKILL at once, `isKilled`), and waits until all of it is gone (3 s at most). Arguments may hold secrets: they
 * show in no error and no log.
 */
export const startChild = Effect.fnUntraced(function* (spawner: Spawner, command: ChildCommand) {
  // Made before the child, so closed after it: what watches it sees its end, and `exit` completes for everybody.
  const watching = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const handle = yield* Effect.mapError(spawner.spawn(standardCommand(command)), (error) =>
    notSpawned(command.program, error)
  )
  const { pid, stdout } = handle
  const fd3 = handle.getOutputFd(3)
  const running = yield* RunningPrograms
  running.set(pid, command.program)

  const { lastWords, said } = yield* hearErrors(handle.stderr, command, watching)
  const ended = yield* Effect.exit(handle.exitCode).pipe(
    Effect.flatMap((exit) => Effect.map(lastWords, (stderr) => exitOf(exit, stderr))),
    Effect.tap(() => Effect.sync(() => running.delete(pid))),
    Effect.forkIn(watching, { startImmediately: true })
  )
  yield* Scope.addFinalizer(watching, Fiber.await(ended))
  // output that nobody read keeps its pipe's descriptor open after the program is gone
  const unread = [...(command.stdout === "pipe" ? [stdout] : []), ...(command.fd3 ? [fd3] : [])]
  for (const pipe of unread) {
    yield* Scope.addFinalizer(watching, Effect.ignore(Effect.timeoutOption(Stream.runDrain(pipe), pipeGrace)))
  }
  return { pid, stdout, fd3, said, exit: Fiber.join(ended) } satisfies Child as Child
})
