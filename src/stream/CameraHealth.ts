import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { faultOf } from "../device/Fault.ts"
import type { Complaint, ReadInput } from "../device/Input.ts"
import { Holders } from "../device/v4l2/Holders.ts"
import { Machine } from "../ground/Machine.ts"
import { monotonicMillis, now } from "../ground/Time.ts"
import type { FfmpegProcess } from "../process/Ffmpeg.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { troubleOf } from "../process/MediaMtxTrouble.ts"
import type { Source } from "../source/Source.ts"
import { delayMeter } from "./DelayMeter.ts"
import { makeLateness } from "./Lateness.ts"
import type { LiveStream, Run } from "./LiveStream.ts"
import { rateMeter } from "./RateMeter.ts"
import { RunEnded } from "./RunEnded.ts"
import { makeStillness } from "./Stillness.ts"

const look = Duration.millis(250)
/** MediaMTX's API answers within milliseconds. */
const answerTime = Duration.millis(500)

/** What a stream shows of its camera: that it works, is held by another program, froze, sends garbage, … */
export class CameraHealth extends Context.Service<
  CameraHealth,
  {
    /**
     * Watches the frames of a run: a camera that stops to give any is a fault of that camera after two thirds
     * of `streams.stall_seconds`, and the end of the run after the whole; one that gives them is no fault any more. A run
     * that has given none yet has `streams.start_timeout_seconds`. What MediaMTX takes to let it publish does not count.
     */
    readonly watch: (
      stream: LiveStream,
      run: Run,
      source: Source,
      process: FfmpegProcess
    ) => Effect.Effect<never, RunEnded>
    /** What FFmpeg said when it ended, if it was the camera; that is the camera's fault from now on. */
    readonly ended: (device: Device, input: ReadInput, stderr: string) => Effect.Effect<Complaint | undefined>
  }
>()("camera-service/stream/CameraHealth") {
  static readonly layer = Layer.effect(
    CameraHealth,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const holders = yield* Holders
      const api = yield* MediaMtxApi
      const mediaMtx = yield* MediaMtx
      const machine = yield* Machine

      const limitOf = (isMoving: boolean) => {
        const { stall_seconds, start_timeout_seconds } = liveNow(settings).streams
        const stall = Duration.toMillis(stall_seconds)
        const running = { notice: (stall * 2) / 3, end: stall }
        if (isMoving) return running
        // FFmpeg and the camera have to wake up first
        const start = Duration.toMillis(start_timeout_seconds)
        return { notice: Math.max(running.notice, start / 4), end: Math.max(running.end, start) }
      }

      const watch = Effect.fnUntraced(function* (
        { camera, state }: LiveStream,
        run: Run,
        source: Source,
        process: FfmpegProcess
      ) {
        const { pid } = process
        const measure = rateMeter(run)
        const measureDelay = delayMeter(run, source, process)
        let frames = 0
        let progressedAt: number | undefined
        let isSilent = false
        const stillness = makeStillness(yield* monotonicMillis)
        const lateness = makeLateness(() => machine.processorWait(pid))
        yield* Effect.forkScoped(
          Stream.runForEach(process.progress, (progress) =>
            Effect.map(now, (moment) => {
              // FFmpeg counts the frames of its first output, which are the pictures at hand; the stream has a constant rate
              measure(Math.round((progress.outTimeUs / 1_000_000) * source.fps), moment.monotonic)
              measureDelay(progress, moment)
              if (progress.frame > frames) progressedAt = moment.monotonic
              frames = progress.frame
            })
          )
        )
        /** Monotonic. FFmpeg counts what it copies, be it a picture or not. */
        const movedAt = (): number | undefined => {
          if (source.deliversJpeg || progressedAt === undefined) return run.pictureAt
          return Math.max(progressedAt, run.pictureAt ?? progressedAt)
        }

        const notice = Effect.gen(function* () {
          isSilent = true
          // an FFmpeg that waits for MediaMTX gives no frames either
          const answers = yield* Effect.option(Effect.timeout(api.getPath(camera), answerTime))
          const silence = source.input.silenceOf(process.said())
          if (answers._tag === "None" || silence === undefined) return
          yield* devices.fault(camera, faultOf(silence.kind, silence.detail))
        })

        /**
         * After its first picture FFmpeg gives no more until MediaMTX has let it publish, which MediaMTX does in the same line
         * in which it answers what we ask of paths (`internal/core/path_manager.go`): what FFmpeg asked before us is answered
         * when we are. So only the time for which we wait is MediaMTX's; an FFmpeg that froze goes on counting.
         */
        const leaveOutWait = Effect.gen(function* () {
          yield* Effect.ignore(Effect.timeout(api.getPath(camera), answerTime))
          stillness(movedAt(), yield* monotonicMillis, 1)
        })

        const check = Effect.gen(function* () {
          const now = yield* monotonicMillis
          const moved = movedAt()
          // FFmpeg waits for MediaMTX, and gives no pictures meanwhile
          const isHeldUp = troubleOf(SubscriptionRef.getUnsafe(mediaMtx.state)) !== undefined
          const late = lateness(moved, now)
          const still = stillness(moved, now, isHeldUp ? 1 : late)
          const limit = limitOf(moved !== undefined)
          if (still > limit.end) {
            const isGarbage = source.input.silenceOf(process.said())?.kind === "WRONG_DATA"
            return yield* new RunEnded({
              reason: `no frame for ${Math.round(still / 1000)} s`,
              silence: isGarbage ? "WRONG_DATA" : "FROZEN"
            })
          }
          if (still > limit.notice) {
            run.delay = undefined
            return isSilent ? undefined : yield* notice
          }
          isSilent = false
          if (moved !== undefined) yield* devices.recovered(camera)
        })
        const isPublished = () => SubscriptionRef.getUnsafe(state)._tag === "Ready"
        const wait = Effect.suspend(() => (movedAt() === undefined || isPublished() ? Effect.void : leaveOutWait))
        return yield* Effect.repeat(Effect.andThen(check, wait), Schedule.spaced(look)).pipe(
          Effect.andThen(Effect.never)
        )
      }, Effect.scoped)

      const whoHolds = (node: string) =>
        Effect.map(holders.of(node), ([holder]) =>
          holder === undefined ? undefined : `opened by ${holder.program} (process ${holder.pid})`
        )

      const ended = Effect.fnUntraced(function* (device: Device, input: ReadInput, stderr: string) {
        const complaint = input.complaintIn(stderr)
        if (complaint === undefined || complaint.kind === "GONE") return complaint
        const { kind } = complaint
        const known = (yield* Effect.orElseSucceed(devices.get(device.id), () => device)).fault
        const { node } = input
        const holder = kind === "BUSY" && node !== undefined ? yield* whoHolds(node) : undefined
        // it is as busy as before, whether or not who has it could be seen this time
        const detail = holder ?? (known?.kind === kind ? known.detail : complaint.detail)
        yield* devices.fault(device.id, faultOf(kind, detail))
        return { kind, detail }
      })

      return CameraHealth.of({ watch, ended })
    })
  )
}
