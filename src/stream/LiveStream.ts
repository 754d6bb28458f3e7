import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import type { Source } from "../source/Source.ts"
import type { Pictures } from "./Pictures.ts"

/** What the published bit stream says of itself, from its own SPS. */
export interface Codec {
  readonly profile: string
  /** such as 3.0 */
  readonly level: string
  readonly width: number
  readonly height: number
  readonly conformant: boolean
}

/** FFmpeg as it runs for a stream. */
export interface Running {
  readonly pid: number
  /** epoch milliseconds */
  readonly startedAt: number
}

/**
 * Starting: FFmpeg is being started, or waited for to be started again (`reason`: why the last one ended).
 * Ready: MediaMTX has the stream. Failing: as Starting, after more than one failure in a row, or one
 * that the camera itself is to blame for (`isCamera`). Stopping: nobody needs it.
 */
export type StreamState =
  | { readonly _tag: "Starting"; readonly reason?: string }
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Failing"; readonly reason: string; readonly isCamera?: true }
  | { readonly _tag: "Stopping" }

/** A camera's stream for as long as somebody needs it; FFmpeg may be started several times in its life. */
export interface LiveStream {
  readonly camera: CameraId
  /** epoch milliseconds */
  readonly startedAt: number
  readonly state: SubscriptionRef.SubscriptionRef<StreamState>
  readonly pictures: Pictures
  /** what the present FFmpeg does; each part is absent while it is not known */
  readonly now: {
    source?: Source
    running?: Running
    /** epoch milliseconds at which the present FFmpeg gave its last picture */
    pictureAt?: number
    /** frames published by the present FFmpeg, and their rate a second over the last seconds */
    published?: { readonly frames: number; readonly fps: number }
    codec?: Codec
    /** epoch milliseconds since which MediaMTX has the stream without a break */
    readySince?: number
    /** how often FFmpeg was started again */
    restarts: number
    /** failures in a row */
    failures: number
  }
}
