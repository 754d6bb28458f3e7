import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import type { Sent } from "../device/Input.ts"
import { encodingOf, isHardware } from "../source/Encoder.ts"
import { type Making, makingOfRelay } from "../source/Making.ts"
import { planSource, type Source } from "../source/Source.ts"
import { planTranscode, type Transcode } from "../source/Transcode.ts"
import { Encoders } from "./Encoders.ts"

/** How each camera is read and encoded, by what it says of itself and what this run has learnt of it. */
export class Sources extends Context.Service<
  Sources,
  {
    /** how FFmpeg reads it; undefined when the camera delivers nothing that can be read so */
    readonly of: (device: Device) => Source | undefined
    /** how what this camera sends (undefined: nobody knows yet) is made anew */
    readonly transcode: (camera: CameraId, sent: Sent | undefined) => Transcode
    /** how its stream is made, by whatever makes it; undefined: it has none */
    readonly making: (device: Device) => Making | undefined
    /** this pixel format of the camera proved bad: it is avoided for as long as the service runs; `why` is told to clients */
    readonly avoid: (camera: CameraId, pixelFormat: string, why: string) => Effect.Effect<void>
    /** FFmpeg ended before the first frame: where it was the hardware that encoded, it does so no more for this camera */
    readonly failedToStart: (camera: CameraId, making: Making) => void
  }
>()("camera-service/stream/Sources") {
  static readonly layer = Layer.effect(
    Sources,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const encoders = yield* Encoders
      // a camera keeps its name for as long as it is known again
      const bad = new Map<CameraId, ReadonlyMap<string, string>>()
      const distrusted = new Map<CameraId, string>()

      const choiceFor = (camera: CameraId) => {
        const why = distrusted.get(camera)
        return why === undefined ? encoders.best() : { encoder: { name: "libx264" } as const, why }
      }

      yield* devices.facts.follow(({ _tag, camera }) =>
        Effect.sync(() => {
          if (_tag !== "CameraForgotten") return
          bad.delete(camera)
          distrusted.delete(camera)
        })
      )

      const plan = (device: Device) =>
        planSource(device, encodingOf(settings.boot, liveNow(settings)), {
          choice: choiceFor(device.id),
          without: bad.get(device.id) ?? new Map()
        })

      return Sources.of({
        of: plan,
        transcode: (camera, sent) =>
          planTranscode(
            sent,
            encodingOf(settings.boot, liveNow(settings)),
            choiceFor(camera),
            bad.get(camera)?.get("H264")
          ),
        making: (device) => ("rtsp" in device.input ? makingOfRelay(device) : plan(device)),
        avoid: (camera, pixelFormat, why) =>
          Effect.suspend(() => {
            bad.set(camera, new Map([...(bad.get(camera) ?? []), [pixelFormat, why]]))
            return devices.changed(camera)
          }),
        failedToStart: (camera, { encoder }) => {
          if (isHardware(encoder)) distrusted.set(camera, `${encoder.name} failed with this camera`)
        }
      })
    })
  )
}
