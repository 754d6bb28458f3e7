import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CameraId } from "../../schema/Camera.ts"
import type { Picture } from "../stream/Pictures.ts"

/** This way of capturing gave no picture; `outcome` says why, for `tiers_tried`. */
export class NoPicture extends Schema.TaggedError<NoPicture>()("NoPicture", { outcome: Schema.String }) {}

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
}
