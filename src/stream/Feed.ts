import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Making } from "../source/Making.ts"
import type { LiveStream } from "./LiveStream.ts"
import type { Picture } from "./Pictures.ts"
import type { RunEnded } from "./RunEnded.ts"

/** How a stream's frames get onto its MediaMTX path. */
export interface Feed {
  /**
   * One run, from its start to its end: it sets the stream's `run` and pictures, and its state to Ready once MediaMTX has
   * it. Never succeeds: a run that ends while the stream is needed has failed. What it started is gone with the scope.
   */
  readonly runOnce: (stream: LiveStream) => Effect.Effect<never, RunEnded, Scope.Scope>
}

/** The feed of a camera's own stream, which knows all that depends on how the camera's frames are had. */
export interface CameraFeed extends Feed {
  /** how its stream is made; undefined: the camera delivers nothing that can be had */
  readonly making: () => Making | undefined
  /** why no picture would come past the stream, by what is known now; undefined: nobody knows before it was tried */
  readonly whyNoPicture: (stream: LiveStream | undefined) => string | undefined
  /**
   * One picture of the camera itself, past its stream and MediaMTX; what it takes is gone with the scope. `queued` is told
   * where it waits for an FFmpeg, 0: no more.
   */
  readonly picture: (queued: (place: number) => Effect.Effect<void>) => Effect.Effect<Picture, RunEnded, Scope.Scope>
  /** the same, while this stream of the camera runs and has the camera */
  readonly pictureBeside: (stream: LiveStream) => Effect.Effect<Picture, RunEnded>
}
