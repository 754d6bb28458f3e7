import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { CameraId } from "../../schema/Camera.ts"
import { Devices } from "../device/Devices.ts"
import { monotonicNow, now } from "../ground/Time.ts"
import { jpegSize } from "../media/Jpeg.ts"
import type { Picture } from "../stream/Pictures.ts"
import { Streams } from "../stream/Streams.ts"
import { type Capture, noneInTime, NoPicture } from "./Capture.ts"
import { makeSharedCapture } from "./SharedCapture.ts"

/** A camera that has a picture has it within a second; the ways after this one need what is left of the whole time. */
const patience = "2 seconds"
/** A camera that gave none is not asked that way again for so many milliseconds: nobody is to wait for it each time. */
const pause = 60_000
/** So many pictures come at once; a hostile one has 8 MiB. */
const atOnce = 4

/** Tier 3 before all that needs a stream: an idle camera is read directly, at the address that it has for pictures. */
export class AddressCapture extends Context.Service<
  AddressCapture,
  Capture & {
    /** it is idle, has such an address, and gave a picture there when it was asked last */
    readonly isFor: (camera: CameraId) => boolean
  }
>()("camera-service/snapshot/AddressCapture") {
  static readonly layer = Layer.effect(
    AddressCapture,
    Effect.gen(function* () {
      const devices = yield* Devices
      const streams = yield* Streams
      const clock = yield* monotonicNow
      const gate = yield* Semaphore.make(atOnce)
      /** of cameras that gave none: until when they are not asked again */
      const resting = new Map<CameraId, number>()
      yield* devices.followForgotten((camera) => resting.delete(camera))

      const stillOf = (camera: CameraId) => devices.find(camera)?.input.still

      const read = Effect.fn("AddressCapture.read")(
        function* (camera: CameraId, found: (picture: Picture) => void) {
          yield* Effect.annotateCurrentSpan("camera.id", camera)
          const still = stillOf(camera)
          if (still === undefined) return yield* new NoPicture({ outcome: "it has no address for pictures" })
          const jpeg = yield* Effect.mapError(still, ({ detail }) => new NoPicture({ outcome: detail }))
          const size = jpegSize(jpeg)
          if (size === undefined) return yield* new NoPicture({ outcome: "what it gave is no picture" })
          found({ jpeg, ...size, captured: yield* now })
        },
        (effect, camera) =>
          effect.pipe(
            Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(noneInTime(undefined)) }),
            Effect.tapError(() => Effect.sync(() => resting.set(camera, clock() + pause))),
            // who waits for its turn was not asked yet
            gate.withPermit
          )
      )

      return AddressCapture.of({
        tier: 3,
        name: "direct",
        isFor: (camera) =>
          streams.current(camera) === undefined &&
          stillOf(camera) !== undefined &&
          clock() >= (resting.get(camera) ?? Number.NEGATIVE_INFINITY),
        late: () => noneInTime(undefined),
        capture: yield* makeSharedCapture(read)
      })
    })
  )
}
