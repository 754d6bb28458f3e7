import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Device } from "../device/Device.ts"
import type { LiveStream } from "./LiveStream.ts"
import type { RunEnded } from "./RunEnded.ts"

/** How a camera's frames get onto its MediaMTX path. */
export interface Feed {
  /**
   * One run, from its start to its end: it sets the stream's `run` and pictures, and its state to Ready once MediaMTX has
   * it. Never succeeds: a run that ends while the stream is needed has failed. What it started is gone with the scope.
   */
  readonly runOnce: (stream: LiveStream, device: Device) => Effect.Effect<never, RunEnded, Scope.Scope>
}
