import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { directArguments } from "../source/FfmpegArguments.ts"
import { planSource } from "../source/Source.ts"
import { jpegSize } from "../stream/Jpeg.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import type { Picture } from "../stream/Pictures.ts"
import { Streams } from "../stream/Streams.ts"
import { type Capture, NoPicture } from "./Capture.ts"

/** Tier 3: MediaMTX or the stream fails, so one FFmpeg reads one picture from the device itself. */
export class DirectCapture extends Context.Service<DirectCapture, Capture>()("camera-service/snapshot/DirectCapture") {
  static readonly layer = Layer.effect(
    DirectCapture,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const streams = yield* Streams
      const ffmpeg = yield* Ffmpeg
      const layerScope = yield* Effect.scope
      const limit = settings.snapshots.direct_timeout_seconds
      const encoding = {
        profile: settings.codec.profile,
        bitrateKbps: settings.codec.bitrate_kbps,
        jpegQuality: settings.snapshots.jpeg_quality
      }
      /** captures that run: whoever comes meanwhile waits for the same picture */
      const running = new Map<CameraId, Deferred.Deferred<Picture, NoPicture>>()

      const read = Effect.fn("DirectCapture.read")(function* (camera: CameraId) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const device = yield* Effect.mapError(devices.get(camera), () => new NoPicture({ outcome: "no such camera" }))
        if (device.status === "DISCONNECTED") return yield* new NoPicture({ outcome: "the camera is away" })
        if (isHeld(streams.current(camera))) {
          return yield* new NoPicture({ outcome: "the stream's FFmpeg holds the device" })
        }
        const source = planSource(device, encoding)
        if (source === undefined) {
          return yield* new NoPicture({ outcome: "the camera delivers no format that can be read" })
        }
        const output = yield* ffmpeg.run(directArguments(source), { timeout: limit }).pipe(
          Effect.mapError(({ detail }) => new NoPicture({ outcome: detail })),
          // an FFmpeg of the stream's that failed may still be going
          streams.withDevice(camera),
          Effect.timeoutOrElse({
            duration: limit,
            orElse: () => Effect.fail(new NoPicture({ outcome: "the device was not free in time" }))
          })
        )
        const jpeg = Buffer.from(output.buffer, output.byteOffset, output.byteLength)
        const size = jpegSize(jpeg)
        if (size === undefined) return yield* new NoPicture({ outcome: "what was read is no JPEG" })
        return { jpeg, ...size, capturedAt: yield* Clock.currentTimeMillis }
      })

      /** Nobody's own: who gives up, or has no time to see FFmpeg's end, takes the picture from nobody else. */
      const share = (camera: CameraId) =>
        Effect.suspend(() => {
          const shared = running.get(camera)
          if (shared !== undefined) return Deferred.await(shared)
          const mine = Deferred.makeUnsafe<Picture, NoPicture>()
          running.set(camera, mine)
          const reading = read(camera).pipe(
            Effect.onExit((exit) => {
              running.delete(camera)
              return Deferred.done(mine, exit)
            })
          )
          return Effect.andThen(Effect.forkIn(reading, layerScope), Deferred.await(mine))
        })

      return DirectCapture.of({
        tier: 3,
        name: "direct",
        capture: ({ camera, notBefore }) =>
          share(camera).pipe(
            // a capture that was under way may show a moment before the call: then once more, for this call
            Effect.repeat({ until: (picture) => picture.capturedAt >= notBefore })
          )
      })
    })
  )
}

/** A stream that gives no picture though its FFmpeg runs: only one that failed will let go of the device. */
const isHeld = (stream: LiveStream | undefined): boolean =>
  stream?.now.running !== undefined && !("reason" in SubscriptionRef.getUnsafe(stream.state))
