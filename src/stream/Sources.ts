import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { ReadDevice } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import type { Sent } from "../device/Input.ts"
import { encodingOf, isHardware } from "../source/Encoder.ts"
import type { Making } from "../source/Making.ts"
import { planSource, type Source } from "../source/Source.ts"
import { planTranscode, type Transcode } from "../source/Transcode.ts"
import { Encoders } from "./Encoders.ts"

/** What this run has learnt of a camera. */
interface Learnt {
  /** its pixel formats that proved bad, and why */
  readonly bad: ReadonlyMap<string, string>
  /** why its stream is not encoded by the hardware; undefined: it is, where there is some */
  readonly whyNoHardware: string | undefined
}

const nothing: Learnt = { bad: new Map(), whyNoHardware: undefined }

/** How each camera is read and encoded, by what it says of itself and what this run has learnt of it. */
export class Sources extends Context.Service<
  Sources,
  {
    /** how FFmpeg reads it; undefined when the camera delivers nothing that can be read so */
    readonly of: (device: ReadDevice) => Source | undefined
    /** how what this camera sends (undefined: nobody knows yet) is made anew */
    readonly transcode: (camera: CameraId, sent: Sent | undefined) => Transcode
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
      const learnt = new Map<CameraId, Learnt>()
      const learn = (camera: CameraId, more: (known: Learnt) => Learnt): void => {
        // one that was forgotten may still have a stream that ends
        if (devices.find(camera) === undefined) return
        learnt.set(camera, more(learnt.get(camera) ?? nothing))
      }
      const known = (camera: CameraId) => learnt.get(camera) ?? nothing
      yield* devices.followForgotten((camera) => learnt.delete(camera))

      const choiceFor = (camera: CameraId) => {
        const { whyNoHardware: why } = known(camera)
        return why === undefined ? encoders.best() : { encoder: { name: "libx264" } as const, why }
      }

      const plan = (device: ReadDevice) =>
        planSource(device, encodingOf(settings.boot, liveNow(settings)), {
          choice: choiceFor(device.id),
          without: known(device.id).bad
        })

      return Sources.of({
        of: plan,
        transcode: (camera, sent) =>
          planTranscode(
            sent,
            encodingOf(settings.boot, liveNow(settings)),
            choiceFor(camera),
            known(camera).bad.get("H264")
          ),
        avoid: (camera, pixelFormat, why) =>
          Effect.suspend(() => {
            learn(camera, (before) => ({ ...before, bad: new Map([...before.bad, [pixelFormat, why]]) }))
            return devices.changed(camera)
          }),
        failedToStart: (camera, { encoder }) => {
          if (!isHardware(encoder)) return
          learn(camera, (before) => ({ ...before, whyNoHardware: `${encoder.name} failed with this camera` }))
        }
      })
    })
  )
}
