import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { faultOf } from "../device/Fault.ts"
import { Holders } from "../device/v4l2/Holders.ts"
import type { FfmpegProcess } from "../process/Ffmpeg.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { type Complaint, complaintIn, silenceOf } from "./CameraFaults.ts"
import type { LiveStream } from "./LiveStream.ts"
import { PublisherEnded } from "./PublisherEnded.ts"
import { rateMeter } from "./RateMeter.ts"

const look = Duration.millis(250)
/** MediaMTX's API answers within milliseconds. */
const answerTime = Duration.millis(500)

/** What a stream shows of its camera: that it works, is held by another program, froze, sends garbage, … */
export class CameraHealth extends Context.Service<
  CameraHealth,
  {
    /**
     * Watches the frames of a stream's FFmpeg: a camera that stops to give any is a fault of that camera after two thirds
     * of `streams.stall_seconds`, and the end of this FFmpeg after the whole; one that gives them is no fault any more.
     */
    readonly watch: (stream: LiveStream, device: Device, process: FfmpegProcess) => Effect.Effect<never, PublisherEnded>
    /** What FFmpeg said when it ended, if it was the camera; that is the camera's fault from now on. */
    readonly ended: (device: Device, stderr: string) => Effect.Effect<Complaint | undefined>
  }
>()("camera-service/stream/CameraHealth") {
  static readonly layer = Layer.effect(
    CameraHealth,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const holders = yield* Holders
      const api = yield* MediaMtxApi

      const limitOf = (isMoving: boolean) => {
        const { stall_seconds, start_timeout_seconds } = liveNow(settings).streams
        const stall = Duration.toMillis(stall_seconds)
        const running = { notice: (stall * 2) / 3, end: stall }
        if (isMoving) return running
        // FFmpeg and the camera have to wake up first
        const start = Duration.toMillis(start_timeout_seconds)
        return { notice: Math.max(running.notice, start / 4), end: Math.max(running.end, start) }
      }

      const watch = Effect.fnUntraced(function* (stream: LiveStream, device: Device, process: FfmpegProcess) {
        const { camera } = stream
        const startedAt = yield* Clock.currentTimeMillis
        const published = rateMeter(stream)
        let frames = 0
        let progressedAt = 0
        let isSilent = false
        yield* Effect.forkScoped(
          Stream.runForEach(process.progress, (progress) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              published(progress, now)
              if (progress.frame > frames) progressedAt = now
              frames = progress.frame
            })
          )
        )
        /** FFmpeg counts what it copies, be it a picture or not. */
        const movedAt = (): number =>
          stream.now.source?.deliversJpeg === true
            ? (stream.now.pictureAt ?? 0)
            : Math.max(progressedAt, stream.now.pictureAt ?? 0)

        const notice = Effect.gen(function* () {
          isSilent = true
          // an FFmpeg that waits for MediaMTX gives no frames either
          const answers = yield* Effect.option(Effect.timeout(api.getPath(camera), answerTime))
          if (answers._tag === "None" || device.kind !== "v4l2") return
          const { detail, kind } = silenceOf(process.said())
          yield* devices.fault(camera, faultOf(kind, detail))
        })

        const check = Effect.gen(function* () {
          const moved = movedAt()
          const still = (yield* Clock.currentTimeMillis) - Math.max(startedAt, moved)
          const limit = limitOf(moved > 0)
          if (still > limit.end) {
            const isGarbage = silenceOf(process.said()).kind === "WRONG_DATA"
            return yield* new PublisherEnded({ reason: `no frame for ${Math.round(still / 1000)} s`, isGarbage })
          }
          if (still > limit.notice) return isSilent ? undefined : yield* notice
          isSilent = false
          if (moved > 0) yield* devices.recovered(camera)
        })
        return yield* Effect.repeat(check, Schedule.spaced(look)).pipe(Effect.andThen(Effect.never))
      }, Effect.scoped)

      const whoHolds = (device: Device) =>
        Effect.map(holders.of(device.node), ([holder]) =>
          holder === undefined ? undefined : `opened by ${holder.program} (process ${holder.pid})`
        )

      const ended = Effect.fnUntraced(function* (device: Device, stderr: string) {
        const complaint = device.kind === "v4l2" ? complaintIn(stderr) : undefined
        if (complaint === undefined || complaint.kind === "GONE") return complaint
        const { kind } = complaint
        const known = (yield* Effect.orDie(devices.get(device.id))).fault
        const holder = kind === "BUSY" ? yield* whoHolds(device) : undefined
        // it is as busy as before, whether or not who has it could be seen this time
        const detail = holder ?? (known?.kind === kind ? known.detail : complaint.detail)
        yield* devices.fault(device.id, faultOf(kind, detail))
        return { kind, detail }
      })

      return CameraHealth.of({ watch, ended })
    })
  )
}
