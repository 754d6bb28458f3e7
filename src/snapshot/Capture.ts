import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { placeText } from "../process/Gate.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import type { Picture } from "../stream/Pictures.ts"
import type { Streams } from "../stream/Streams.ts"

/** This way of capturing gave no picture; `outcome` says why, for `tiers_tried`. */
export class NoPicture extends Schema.TaggedError<NoPicture>()("NoPicture", {
  outcome: Schema.String,
  /** it waited for an FFmpeg all the time: where it was in the queue at last, 1 for the next */
  place: Schema.optionalKey(Schema.Int)
}) {}

/** Time is over for a capture that waits at this place for an FFmpeg, or for something else. */
export const noneInTime = (place: number | undefined): NoPicture =>
  place === undefined
    ? new NoPicture({ outcome: "no picture in time" })
    : new NoPicture({ outcome: placeText(place), place })

/** Where a stream waits for its FFmpeg. */
export const placeOf = (stream: LiveStream | undefined): number | undefined => {
  const state = stream === undefined ? undefined : SubscriptionRef.getUnsafe(stream.state)
  return state?._tag === "Starting" ? state.place : undefined
}

/** The camera's stream, for as long as the scope lives, and for the snapshots to come after it. */
export const leaseFor = (streams: Streams["Service"], camera: CameraId) =>
  Effect.mapError(
    streams.lease(camera, "snapshot"),
    ({ _tag }) => new NoPicture({ outcome: _tag === "NotFound" ? "no such camera" : "the camera is away" })
  )

/** What a picture has to be. */
export interface CaptureRequest {
  readonly camera: CameraId
  /** monotonic milliseconds: a picture captured before is too old */
  readonly notBefore: number
}

/** One way to get a picture of a camera; `Snapshots` tries them in order, each within its own time limit. */
export interface Capture {
  readonly tier: 1 | 2 | 3
  readonly name: "live" | "activated" | "direct"
  readonly capture: (request: CaptureRequest) => Effect.Effect<Picture, NoPicture>
  /** why a capture of this camera that is given up now has no picture yet */
  readonly late: (camera: CameraId) => NoPicture
}
