import * as Schema from "effect/Schema"
import { RtspFailure } from "../rtsp/RtspFailed.ts"

/**
 * What stands in the way of a stream, and will a moment later: who waits is told now. UNPLUGGED: the camera was pulled
 * out; MEDIAMTX: it does not answer; the others are faults of the camera.
 */
export const Obstacle = Schema.Literals([
  "BUSY",
  "NO_PERMISSION",
  "NO_BANDWIDTH",
  "UNPLUGGED",
  "MEDIAMTX",
  ...RtspFailure.literals
])
export type Obstacle = typeof Obstacle.Type

/** No frames came, or what came was no video. */
const Silence = Schema.Literals(["FROZEN", "WRONG_DATA"])

/** A stream's run ended, or gave nothing, while the stream was needed. */
export class RunEnded extends Schema.TaggedError<RunEnded>()("RunEnded", {
  reason: Schema.String,
  silence: Schema.optionalKey(Silence),
  obstacle: Schema.optionalKey(Obstacle),
  /** MediaMTX did not take what was encoded, or was not there */
  isRefused: Schema.optionalKey(Schema.Literal(true))
}) {}

/** Why a run ended, in one of few words; EXITED: FFmpeg did so by itself, or could not be started. */
export type RunEnd = Obstacle | typeof Silence.Type | "EXITED"

export const runEndOf = ({ obstacle, silence }: RunEnded): RunEnd => obstacle ?? silence ?? "EXITED"
