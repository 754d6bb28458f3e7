import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Disk, type DiskError } from "../src/ground/Disk.ts"
import { PlayedMediaMtx } from "./MediaMtx.ts"
import { numbered, png } from "./Pictures.ts"
import { type Ending, type PlayedProcess, Programs } from "./Programs.ts"

export type Work = "publish" | "direct" | "convert" | "remux" | "trial" | "other"

/** What goes wrong with the FFmpegs that publish a camera. */
export interface PublisherFaults {
  /** so many end at once with an error: `complaint`, or one of our own */
  readonly failStarts: number
  readonly complaint: string
  /** they start and never reach MediaMTX */
  readonly neverReady: boolean
  readonly noPictures: boolean
  /** so many milliseconds from the first one the pictures of a start are dark */
  readonly darkMillis: number
  /** only SIGKILL ends them */
  readonly stubborn: boolean
  /** they live, and nothing comes out of them */
  readonly frozen: boolean
}

const sound: PublisherFaults = {
  failStarts: 0,
  complaint: "the camera is broken",
  neverReady: false,
  noPictures: false,
  darkMillis: 0,
  stubborn: false,
  frozen: false
}

/** What goes wrong with FFmpeg's other work: the error that it ends with, or that it comes to no end. */
export type WorkFault = { readonly error: string } | "hangs"

const tick = 100
/** As x264 writes it: 640 × 480, constrained baseline 3.0. */
const conformantSps = "Z0LAHtoCgPbARAAAAwAEAAADAPI8WLqA"

export const workOf = (args: ReadonlyArray<string>): Work => {
  if (args.includes("rtsp")) return "publish"
  if (args.includes("pipe:0")) return "convert"
  if (args.at(-2) === "h264") return "trial"
  if (args.includes("image2pipe")) return "direct"
  return args.some((arg) => arg.startsWith("file:")) ? "remux" : "other"
}

const failed = (text: string): Ending => ({ code: 1, stderr: `[error] ${text}\n` })

const fileIn = (args: ReadonlyArray<string>, which: number) =>
  (args.filter((arg) => arg.startsWith("file:")).at(which) ?? "").slice("file:".length)

const progress = (count: number) =>
  `frame=${Math.round((count * tick) / 40)}\nout_time_us=${count * tick * 1000}\nprogress=continue\n`

/** Plays `ffmpeg` and `ffprobe`, by the arguments that they get, on the test's clock. */
export class PlayedFfmpeg extends Context.Service<
  PlayedFfmpeg,
  {
    /** by camera */
    readonly publishers: SubscriptionRef.SubscriptionRef<ReadonlyMap<string, PublisherFaults>>
    readonly disturb: (camera: string, faults: Partial<PublisherFaults>) => Effect.Effect<void>
    readonly works: SubscriptionRef.SubscriptionRef<ReadonlyMap<Work, WorkFault>>
  }
>()("camera-service/testing/PlayedFfmpeg") {
  static readonly layer = Layer.effect(
    PlayedFfmpeg,
    Effect.gen(function* () {
      const disk = yield* Disk
      const mediaMtx = yield* PlayedMediaMtx
      const programs = yield* Programs
      const publishers = yield* SubscriptionRef.make<ReadonlyMap<string, PublisherFaults>>(new Map())
      const works = yield* SubscriptionRef.make<ReadonlyMap<Work, WorkFault>>(new Map())
      let number = 0

      const faultsOf = (camera: string) =>
        Effect.map(SubscriptionRef.get(publishers), (all) => all.get(camera) ?? sound)
      const disturb = (camera: string, faults: Partial<PublisherFaults>) =>
        SubscriptionRef.update(publishers, (all) =>
          new Map(all).set(camera, { ...(all.get(camera) ?? sound), ...faults })
        )

      const publish = Effect.fnUntraced(function* (process: PlayedProcess) {
        const url = process.args.find((arg) => arg.startsWith("rtsp:")) ?? ""
        const camera = new URL(url).pathname.slice(1)
        const { complaint, failStarts, neverReady, stubborn } = yield* faultsOf(camera)
        if (stubborn) yield* SubscriptionRef.set(process.temper, "stubborn")
        if (failStarts > 0) {
          yield* disturb(camera, { failStarts: failStarts - 1 })
          return failed(complaint)
        }
        yield* Effect.sleep(tick)
        if (neverReady) return yield* Effect.never
        const { frames } = yield* mediaMtx.publish({ pid: process.pid, url })
        for (let count = 1; ; count++) {
          yield* Effect.sleep(tick)
          const { darkMillis, frozen, noPictures } = yield* faultsOf(camera)
          if (frozen || (yield* SubscriptionRef.get(process.temper)) === "stopped") continue
          if (!(yield* frames)) return failed("av_interleaved_write_frame(): Broken pipe")
          const isDark = (count - 2) * tick < darkMillis
          if (count % 2 === 0 && !noPictures) process.stdout(numbered(number++, isDark))
          if (count % 5 === 0) process.fd3(progress(count))
        }
      })

      const direct = Effect.fnUntraced(function* ({ args, stdout }: PlayedProcess) {
        yield* Effect.sleep(2 * tick)
        for (;;) {
          stdout(numbered(number++))
          if (args.includes("-frames:v")) return { code: 0 }
          yield* Effect.sleep(tick)
        }
      })

      const remux = ({ args }: PlayedProcess): Effect.Effect<Ending, DiskError> =>
        Effect.scoped(
          Effect.gen(function* () {
            const from = yield* disk.open(fileIn(args, 0))
            const to = yield* disk.create(fileIn(args, 1), 0o644)
            yield* to.append(yield* from.read(0, (yield* from.state).bytes))
            return { code: 0 }
          })
        )

      const trial = Effect.fnUntraced(function* ({ stdout }: PlayedProcess) {
        yield* Effect.sleep(tick)
        stdout(Uint8Array.from(`\0\0\0\u0001${atob(conformantSps)}`, (character) => character.charCodeAt(0)))
        return { code: 0 }
      })

      const convert = ({ args, stdout }: PlayedProcess) =>
        Effect.sync((): Ending => {
          stdout(args.includes("png") ? png : numbered(number++))
          return { code: 0 }
        })

      const plays: Readonly<
        Record<
          Work,
          (process: PlayedProcess) => Effect.Effect<Ending, DiskError | { readonly status: number }, Scope.Scope>
        >
      > = { publish, direct, convert, remux, trial, other: () => Effect.succeed({ code: 0 }) }

      programs.play("ffmpeg", (process) =>
        Effect.gen(function* () {
          const work = workOf(process.args)
          const fault = (yield* SubscriptionRef.get(works)).get(work)
          if (fault === "hangs") return yield* Effect.never
          if (fault !== undefined) return failed(fault.error)
          return yield* plays[work](process)
        }).pipe(
          Effect.catch((error) =>
            Effect.succeed(failed("status" in error ? `Server returned ${error.status}` : `errno ${error.code}`))
          )
        )
      )

      programs.play("ffprobe", ({ args, stdout }) =>
        Effect.map(Effect.result(disk.state(fileIn(args, -1))), (state): Ending => {
          if (state._tag === "Failure") return failed("No such file or directory")
          const reply = {
            streams: [{ codec_name: "h264", width: 640, height: 480 }],
            format: { duration: "1", size: String(state.success.bytes) }
          }
          stdout(new TextEncoder().encode(JSON.stringify(reply)))
          return { code: 0 }
        })
      )

      return PlayedFfmpeg.of({ publishers, disturb, works })
    })
  )
}
