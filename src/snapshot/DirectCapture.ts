import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { Feeds } from "../stream/Feeds.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import type { Picture } from "../stream/Pictures.ts"
import type { RunEnded } from "../stream/RunEnded.ts"
import { Streams } from "../stream/Streams.ts"
import { type Capture, noneInTime, NoPicture, placeOf } from "./Capture.ts"
import { makeSharedCapture } from "./SharedCapture.ts"

/** A burst of pictures must not take the machine from the streams that run. */
const atOnce = 4

/**
 * Tier 3: MediaMTX or the stream fails, so the camera itself is read until it has given a good picture, in the way of its feed.
 */
export class DirectCapture extends Context.Service<DirectCapture, Capture>()("camera-service/snapshot/DirectCapture") {
  static readonly layer = Layer.effect(
    DirectCapture,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const streams = yield* Streams
      const feeds = yield* Feeds
      const gate = yield* Semaphore.make(atOnce)

      /** captures that wait for their FFmpeg: where they are in the queue */
      const places = new Map<CameraId, number>()
      // its stream may wait there, and has the device meanwhile
      const late = (camera: CameraId) => noneInTime(places.get(camera) ?? placeOf(streams.current(camera)))

      const read = Effect.fn("DirectCapture.read")(function* (camera: CameraId, found: (picture: Picture) => void) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const device = yield* Effect.mapError(devices.get(camera), () => new NoPicture({ outcome: "no such camera" }))
        if (device.status === "DISCONNECTED") return yield* new NoPicture({ outcome: "the camera is away" })
        const limit = liveNow(settings).snapshots.direct_timeout_seconds
        const giveUp = Effect.suspend(() => Effect.fail(late(camera)))
        const stream = streams.current(camera)
        const feed = feeds.of(device)
        if (stream !== undefined && isHeld(stream)) {
          return yield* feed
            .pictureBeside(stream)
            .pipe(
              Effect.mapError(noPicture),
              Effect.timeoutOrElse({ duration: limit, orElse: () => giveUp }),
              Effect.map(found)
            )
        }
        const why = feed.whyNoPicture(stream)
        if (why !== undefined) return yield* new NoPicture({ outcome: why })
        const queued = (place: number) =>
          Effect.sync(() => void (place > 0 ? places.set(camera, place) : places.delete(camera)))
        // handed on as soon as it is there, which is before its FFmpeg has gone
        const reading = Effect.scoped(Effect.map(feed.picture(queued), found))
        yield* reading.pipe(
          Effect.mapError(noPicture),
          Effect.timeoutOrElse({ duration: limit, orElse: () => giveUp }),
          gate.withPermit,
          // an FFmpeg of the stream's that failed may still be going
          streams.withDevice(camera),
          Effect.timeoutOrElse({ duration: limit, orElse: () => giveUp })
        )
      })

      return DirectCapture.of({
        tier: 3,
        name: "direct",
        late,
        capture: yield* makeSharedCapture((camera, found) =>
          Effect.ensuring(
            read(camera, found),
            Effect.sync(() => places.delete(camera))
          )
        )
      })
    })
  )
}

/** A stream that gives no picture though its FFmpeg runs: only one that failed will let go of the device. */
const isHeld = (stream: LiveStream): boolean =>
  stream.run !== undefined && !("reason" in SubscriptionRef.getUnsafe(stream.state))

const noPicture = ({ reason }: RunEnded): NoPicture => new NoPicture({ outcome: reason })
