import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { liveNow, Settings } from "../config/Settings.ts"
import type { NotStarted, ProgramMissing, ProgramUnfit } from "../config/StartupErrors.ts"
import { Disk } from "../ground/Disk.ts"
import { type Beginning, makeBeginning, tellsHowItEnded } from "./Beginning.ts"
import { type Child, type ChildCommand, type ChildExit, startChild } from "./Child.ts"
import { FfmpegFailed, failedBy } from "./FfmpegFailed.ts"
import { requireVersion } from "./FfmpegVersion.ts"
import { makeGate, type Urgency } from "./Gate.ts"
import { readMp4Header } from "../ground/Mp4File.ts"
import { type MediaInfo, parseProbe, probeArgs } from "./Ffprobe.ts"
import { type Progress, progressOf } from "./Progress.ts"
import { type Job, makeStandby, type Practice } from "./Standby.ts"
import { makeWorkPermits, type Work } from "./WorkPermits.ts"

export interface FfmpegProcess {
  readonly pid: number
  /** What it writes to `pipe:1`. Once an output goes there it must be read: FFmpeg waits for the reader. */
  readonly stdout: Stream.Stream<Uint8Array, FfmpegFailed>
  /** Twice a second while it runs; the latest first, and the end when it ends. Any number may read it, or nobody. */
  readonly progress: Stream.Stream<Progress>
  /** What it has said of its input; undefined: it has not opened it yet. */
  readonly began: () => Beginning | undefined
  /** The last lines that it complained in so far. */
  readonly said: () => string
  /** Completes when it has ended, by whatever cause: FFmpeg exits with 0 also when a camera is pulled out. */
  readonly exit: Effect.Effect<ChildExit>
}

const quiet = ["-hide_banner", "-nostdin"]
const common = [...quiet, "-loglevel", "level+warning"]
const beginningArgs = ["-loglevel", "level+info"]
// libuv gives children a socket there, which FFmpeg's pipe protocol writes to like to a pipe.
const progressArgs = ["-nostats", "-progress", "pipe:3", "-stats_period", "0.5"]

// A file that was not closed is read to its end, from slow media too.
const probeTimeout = Duration.seconds(60)

export interface StartOptions {
  readonly urgency: Urgency
  /** told its place each time that it is another while it waits for its turn: 1 for the next, and 0 when the wait is over */
  readonly queued?: (place: number) => Effect.Effect<void>
}

export interface RunOptions {
  readonly work: Work
  readonly stdin?: Uint8Array
  /** from the call to the end, with the wait for others of its kind */
  readonly timeout: Duration.Input
}

export interface PictureOptions extends Required<Omit<RunOptions, "work">> {
  /** what the next one to stand by may make a picture of meanwhile */
  readonly practice: Practice
}

/** FFmpeg and ffprobe as children: see `Child.ts` for how they live and end. */
export class Ffmpeg extends Context.Service<
  Ffmpeg,
  {
    /**
     * Starts FFmpeg with these arguments for as long as the scope lives; it does not wait for anything to come out. While
     * `limits.ffmpeg_processes` of them run it waits for its turn.
     */
    readonly start: (
      args: ReadonlyArray<string>,
      options: StartOptions
    ) => Effect.Effect<FfmpegProcess, FfmpegFailed, Scope.Scope>
    /** Runs to the end and gives what came out of `pipe:1`. */
    readonly run: (args: ReadonlyArray<string>, options: RunOptions) => Effect.Effect<Uint8Array, FfmpegFailed>
    /** Makes the JPEG of what comes on `pipe:0`, as `run` would: by an FFmpeg that stands by, where there is one. */
    readonly picture: (args: ReadonlyArray<string>, options: PictureOptions) => Effect.Effect<Uint8Array, FfmpegFailed>
    /** Has one stand by for 2 min for `picture` with these arguments, as each `picture` does. */
    readonly preparePicture: (args: ReadonlyArray<string>) => Effect.Effect<void>
    /**
     * Runs for as long as the scope lives, once it is its turn, and gives what comes out of `pipe:1` as it is read: FFmpeg
     * waits for the reader.
     */
    readonly pour: (
      args: ReadonlyArray<string>,
      options: { readonly work: Work; readonly stdin: Uint8Array }
    ) => Effect.Effect<Stream.Stream<Uint8Array, FfmpegFailed>, FfmpegFailed, Scope.Scope>
    /** What is in a media file, also in one that was never closed (a crash, a power cut). */
    readonly probe: (file: string) => Effect.Effect<MediaInfo, FfmpegFailed>
    /** Fails when FFmpeg or ffprobe is not there, another program, or too old. Takes 70 ms of a core each (measured). */
    readonly check: Effect.Effect<void, NotStarted | ProgramMissing | ProgramUnfit>
  }
>()("camera-service/process/Ffmpeg") {
  static readonly layer = Layer.effect(
    Ffmpeg,
    Effect.gen(function* () {
      const spawner = yield* ChildProcessSpawner
      const disk = yield* Disk
      const settings = yield* Settings
      const { ffmpeg } = settings.boot
      const gate = makeGate(() => liveNow(settings).limits.ffmpeg_processes)
      yield* Effect.forkScoped(Stream.runForEach(SubscriptionRef.changes(settings.live), () => gate.limitChanged))
      const permits = yield* makeWorkPermits

      const startProgram = (program: string, args: ReadonlyArray<string>, options: ChildInput) =>
        startChild(spawner, {
          program,
          args,
          stdout: "pipe",
          isHeavy: true,
          ...options
        }).pipe(Effect.mapError((cause) => new FfmpegFailed({ detail: cause.message, cause })))

      const outputOf = (child: Child) =>
        Stream.mapError(child.stdout, (cause) => new FfmpegFailed({ detail: "its output could not be read", cause }))

      const endedWell = Effect.fnUntraced(function* (program: string, child: Child) {
        const exit = yield* child.exit
        if (exit.code !== 0) return yield* failedBy(program, exit)
      })

      const runProgram = Effect.fnUntraced(
        function* (program: string, args: ReadonlyArray<string>, options: ChildInput) {
          const child = yield* startProgram(program, args, options)
          const output = yield* Stream.mkUint8Array(outputOf(child))
          yield* endedWell(program, child)
          return output
        },
        (effect) => Effect.scoped(effect)
      )

      const start = Effect.fn("Ffmpeg.start")(function* (args: ReadonlyArray<string>, options: StartOptions) {
        yield* gate.enter(options.urgency, options.queued ?? (() => Effect.void))
        const beginning = makeBeginning()
        const child = yield* startProgram(ffmpeg.binary, [...quiet, ...beginningArgs, ...progressArgs, ...args], {
          fd3: true,
          hears: beginning.hear,
          keeps: tellsHowItEnded
        })
        yield* Effect.annotateCurrentSpan("process.pid", child.pid)
        const progress = yield* progressOf(child.fd3)
        const { exit, pid, said } = child
        return { pid, stdout: outputOf(child), progress, began: beginning.now, said, exit }
      })

      const run = Effect.fn("Ffmpeg.run")(function* (args: ReadonlyArray<string>, options: RunOptions) {
        const { stdin, timeout, work } = options
        const running = runProgram(ffmpeg.binary, [...common, "-nostats", ...args], stdinOf(stdin))
        return yield* permits.limited(running, ffmpeg.binary, work, timeout)
      })

      const makePicture = Effect.fnUntraced(function* (args: ReadonlyArray<string>, job: Job<FfmpegFailed>) {
        const { input, output, practice } = job
        const wanted = Stream.fromEffect(Deferred.await(input))
        const stdin = practice === undefined ? wanted : Stream.concat(Stream.make(practice.input), wanted)
        // it works for 30 ms; most are waited for, and those made ahead (`KeyframeStills`) about to be asked for
        const child = yield* startProgram(ffmpeg.binary, [...common, "-nostats", ...args], { stdin, isHeavy: false })
        const practised = (chunk: Uint8Array): boolean => {
          if (endsPicture(chunk)) practice?.done()
          return endsPicture(chunk)
        }
        const pictures = practice === undefined ? outputOf(child) : Stream.dropUntil(outputOf(child), practised)
        const bytes = yield* Stream.mkUint8Array(Stream.takeUntil(pictures, endsPicture))
        // what comes before the input is a second picture of what it practised with
        const isOfInput = endsPicture(bytes) && Deferred.isDoneUnsafe(input)
        if (!isOfInput) return yield* failedBy(ffmpeg.binary, yield* child.exit)
        // its own end takes FFmpeg 5 ms (measured)
        Deferred.doneUnsafe(output, Effect.succeed(bytes))
      })
      const standby = yield* makeStandby<FfmpegFailed>((args, job) =>
        makePicture(args, job).pipe(
          Effect.scoped,
          Effect.onError((cause) => Deferred.failCause(job.output, cause)),
          Effect.ignore
        )
      )

      const picture = Effect.fn("Ffmpeg.picture")(
        (args: ReadonlyArray<string>, { practice, stdin, timeout }: PictureOptions) =>
          permits.limited(standby.work(args, stdin, practice), ffmpeg.binary, "picture", timeout)
      )
      const pour: Ffmpeg["Service"]["pour"] = Effect.fn("Ffmpeg.pour")(function* (args, { stdin, work }) {
        yield* permits.take(work)
        const input = { ...stdinOf(stdin), isKilled: true }
        const child = yield* startProgram(ffmpeg.binary, [...common, "-nostats", ...args], input)
        const end = Stream.fromEffectDrain(endedWell(ffmpeg.binary, child))
        return Stream.concat(outputOf(child), end)
      })

      const probe = Effect.fn("Ffmpeg.probe")(function* (file: string) {
        const program = ffmpeg.ffprobe_binary
        const header = yield* Effect.mapError(
          readMp4Header(disk, file),
          (cause) => new FfmpegFailed({ detail: "the file could not be read", cause })
        )
        const known = header?.leads === true && header.duration > 0
        const probing = runProgram(program, probeArgs(file, known), {})
        const reply = yield* permits.limited(probing, program, "probe", probeTimeout)
        const info = yield* Effect.try({
          try: () => parseProbe(new TextDecoder().decode(reply)),
          catch: (cause) => new FfmpegFailed({ detail: `${program} answered in an unknown form`, cause })
        })
        return known ? { ...info, duration: header.duration } : info
      })

      const check = Effect.andThen(
        requireVersion(spawner, ffmpeg.binary, "ffmpeg"),
        requireVersion(spawner, ffmpeg.ffprobe_binary, "ffprobe")
      ).pipe(Effect.withSpan("Ffmpeg.check"))

      return { start, run, picture, preparePicture: standby.prepare, pour, probe, check }
    })
  )
}

/** JPEG has these bytes nowhere else than at its end. */
const endsPicture = (bytes: Uint8Array): boolean => bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9

/** What differs from one to another, beside their arguments. */
type ChildInput = Omit<ChildCommand, "program" | "args" | "stdout">

const stdinOf = (input: Uint8Array | undefined): ChildInput =>
  input === undefined ? {} : { stdin: Stream.make(input) }
