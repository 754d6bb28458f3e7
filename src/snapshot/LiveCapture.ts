import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { LiveStream } from "../stream/LiveStream.ts"
import type { Picture } from "../stream/Pictures.ts"
import { KeyframeRequests } from "../stream/KeyframeRequests.ts"
import { Streams } from "../stream/Streams.ts"
import { type Capture, leaseFor, noneInTime, NoPicture } from "./Capture.ts"

/** The stream's picture that is new enough: the one at hand, or the first to come. */
export const pictureOf = (stream: LiveStream, notBefore: number): Effect.Effect<Picture, NoPicture> =>
  Effect.suspend(() => {
    const latest = stream.pictures.latest()
    if (latest !== undefined && latest.captured.monotonic >= notBefore) return Effect.succeed(latest)
    return Effect.repeat(stream.pictures.next, { until: ({ captured }) => captured.monotonic >= notBefore })
  }).pipe(
    Effect.flatMap(({ picture }) => picture),
    Effect.mapError(({ detail }) => new NoPicture({ outcome: detail }))
  )

/** It has given pictures, or is about to give its first. */
const isLive = (stream: LiveStream): boolean =>
  stream.pictures.latest() !== undefined || SubscriptionRef.getUnsafe(stream.state)._tag === "Ready"

/** Tier 1: the stream runs, so its latest picture lies in memory. */
export class LiveCapture extends Context.Service<LiveCapture, Capture>()("camera-service/snapshot/LiveCapture") {
  static readonly layer = Layer.effect(
    LiveCapture,
    Effect.gen(function* () {
      const streams = yield* Streams
      const keyframes = yield* KeyframeRequests
      return LiveCapture.of({
        tier: 1,
        name: "live",
        late: () => noneInTime(undefined),
        capture: Effect.fn("LiveCapture.capture")(
          function* ({ camera, notBefore }) {
            const running = streams.current(camera)
            if (running === undefined || !isLive(running)) {
              return yield* new NoPicture({ outcome: "the stream does not run" })
            }
            // held, so that it does not end while the next picture is waited for, and lives on for the snapshots to come
            const stream = yield* leaseFor(streams, camera)
            const { captured } = stream.pictures.latest() ?? {}
            if (captured === undefined || captured.monotonic < notBefore) yield* keyframes.ask(camera)
            return yield* pictureOf(stream, notBefore)
          },
          (effect) => Effect.scoped(effect)
        )
      })
    })
  )
}
