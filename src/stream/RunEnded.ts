import * as Schema from "effect/Schema"

/**
 * What stands in the way of a stream, and will a moment later: who waits is told now. UNPLUGGED: the camera was pulled
 * out; MEDIAMTX: it does not answer; the others are faults of the camera.
 */
export const Obstacle = Schema.Literals(["BUSY", "NO_PERMISSION", "NO_BANDWIDTH", "UNPLUGGED", "MEDIAMTX"])
export type Obstacle = typeof Obstacle.Type

/** A stream's run ended, or gave nothing, while the stream was needed. */
export class RunEnded extends Schema.TaggedError<RunEnded>()("RunEnded", {
  reason: Schema.String,
  /** what the camera sent was no video */
  isGarbage: Schema.optionalKey(Schema.Boolean),
  obstacle: Schema.optionalKey(Obstacle)
}) {}
