import * as Schema from "effect/Schema"
import type { FaultKind } from "../../schema/Camera.ts"

/**
 * `UNREACHABLE`: no connection, or it broke. `AUTH_FAILED`: the credentials are refused, or would have to be sent in clear.
 * `NOT_FOUND`: no such stream there. `NO_VIDEO`: it has none. `SESSION_LIMIT`: it serves no more viewers. `STALLED`:
 * nothing comes any more. `REDIRECTED`: it sends to another place, which is not followed. `PROTOCOL`: what it says is no RTSP
 * that we know, or it refuses for another reason. `CERTIFICATE_CHANGED`: it is known by another certificate than it shows, and
 * was shown no password.
 */
export const RtspFailure = Schema.Literals([
  "UNREACHABLE",
  "AUTH_FAILED",
  "NOT_FOUND",
  "NO_VIDEO",
  "SESSION_LIMIT",
  "STALLED",
  "REDIRECTED",
  "PROTOCOL",
  "CERTIFICATE_CHANGED"
]) satisfies Schema.Schema<FaultKind>

/** A camera in the network does not give its stream. `detail` is for people, and without secrets. */
export class RtspFailed extends Schema.TaggedError<RtspFailed>()("RtspFailed", {
  kind: RtspFailure,
  detail: Schema.String
}) {}
