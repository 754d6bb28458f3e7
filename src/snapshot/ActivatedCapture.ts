import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { MediaMtx } from "../process/MediaMtx.ts"
import { awaitRunning } from "../process/MediaMtxTrouble.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import { Streams } from "../stream/Streams.ts"
import { type Capture, leaseFor, noneInTime, NoPicture, placeOf } from "./Capture.ts"
import { pictureOf } from "./LiveCapture.ts"

/** The stream's second failure in a row: waiting longer would only take the time that the direct way needs. */
const failing = (stream: LiveStream): Effect.Effect<never, NoPicture> =>
  SubscriptionRef.changes(stream.state).pipe(
    Stream.filter((state) => state._tag === "Failing"),
    Stream.map(({ isCamera, reason }) => (isCamera === true ? `the stream fails: ${reason}` : "the stream fails")),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption),
    Effect.orElseSucceed(() => "the stream fails"),
    Effect.flatMap((outcome) => Effect.fail(new NoPicture({ outcome })))
  )

/** MediaMTX starts within 0.1 s. A stream would wait for one that does not; a picture need not. */
const startingTime = "500 millis"

/** Tier 2: the camera is idle, so its stream is started, and its first picture taken. */
export class ActivatedCapture extends Context.Service<ActivatedCapture, Capture>()(
  "camera-service/snapshot/ActivatedCapture"
) {
  static readonly layer = Layer.effect(
    ActivatedCapture,
    Effect.gen(function* () {
      const streams = yield* Streams
      const mediaMtx = yield* MediaMtx
      const running = Effect.timeoutOrElse(awaitRunning(mediaMtx), {
        duration: startingTime,
        orElse: () => Effect.fail(new NoPicture({ outcome: "MediaMTX does not run" }))
      })
      return ActivatedCapture.of({
        tier: 2,
        name: "activated",
        late: (camera) => noneInTime(placeOf(streams.current(camera))),
        capture: Effect.fn("ActivatedCapture.capture")(
          function* ({ camera, notBefore }) {
            yield* running
            const stream = yield* leaseFor(streams, camera)
            return yield* Effect.raceFirst(pictureOf(stream, notBefore), failing(stream))
          },
          (effect) => Effect.scoped(effect)
        )
      })
    })
  )
}
