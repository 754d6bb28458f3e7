import * as Effect from "effect/Effect"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import type { Sent } from "../device/Input.ts"
import { type Moment, now } from "../ground/Time.ts"
import type { Making } from "../source/Making.ts"
import type { Pictures } from "./Pictures.ts"
import type { RunEnd } from "./RunEnded.ts"
import type { StreamName } from "./StreamName.ts"

/** What the published bit stream says of itself, from its own SPS. */
export interface Codec {
  readonly profile: string
  /** such as 3.0 */
  readonly level: string
  readonly width: number
  readonly height: number
  readonly conformant: boolean
}

/** One attempt to have frames on the camera's path, from its start to its end. */
export interface Run {
  readonly making: Making
  /** what the camera sends, where it streams by itself: as it has said, and as was seen */
  sends?: Sent
  /** our FFmpeg; absent: it needs none */
  readonly pid?: number
  readonly startedAt: Moment
  /** so far, and a second over the last seconds */
  published: { readonly frames: number; readonly fps: number }
  /** milliseconds that a frame is old when MediaMTX has it; undefined: nobody here knows when its frames were made */
  delay: number | undefined
  /** monotonic milliseconds of its last picture, fit to be shown or not */
  pictureAt: number | undefined
}

/** The stream's run is this one, for as long as the scope lives. */
export const beginRun = Effect.fnUntraced(function* (stream: LiveStream, what: Pick<Run, "making" | "pid" | "sends">) {
  const run: Run = {
    ...what,
    startedAt: yield* now,
    published: { frames: 0, fps: 0 },
    delay: undefined,
    pictureAt: undefined
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => (stream.run = run)),
    () => Effect.sync(() => (stream.run = undefined))
  )
  return run
})

/**
 * Starting: its run is being started, or waited for to be started again (`reason`: why the last one ended), or it waits
 * for its turn (`place`: in the queue for an FFmpeg, 1 for the next).
 * Ready: MediaMTX has the stream, since then without a break; `codec` once it was read. Failing: as Starting, after more
 * than one failure in a row, or one that the camera itself is to blame for (`isCamera`). Stopping: nobody needs it.
 */
export type StreamState =
  | { readonly _tag: "Starting"; readonly reason?: string; readonly place?: number }
  | { readonly _tag: "Ready"; readonly since: Moment; readonly codec?: Codec }
  | { readonly _tag: "Failing"; readonly reason: string; readonly isCamera?: true }
  | { readonly _tag: "Stopping" }

/** A stream of a camera for as long as somebody needs it: one run after the other. */
export interface LiveStream {
  readonly name: StreamName
  readonly camera: CameraId
  /** of a transcode: the camera's own stream, of which it is made, and which lives as long as this one */
  readonly own?: LiveStream
  readonly startedAt: Moment
  readonly state: SubscriptionRef.SubscriptionRef<StreamState>
  /** this is its state from now on, because a run ended where that is why; it is told of */
  readonly become: (state: StreamState, ended?: RunEnd) => Effect.Effect<void>
  readonly pictures: Pictures
  /** of who is about to read it at MediaMTX: each completes when that one has come there */
  readonly joining: Set<Effect.Effect<void>>
  /** undefined between two runs */
  run: Run | undefined
  /** runs that ended while they were needed: all, and those in a row */
  restarts: number
  failuresInARow: number
}
