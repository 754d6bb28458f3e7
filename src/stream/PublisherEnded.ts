import * as Schema from "effect/Schema"

/** FFmpeg ended, or gave nothing, while its stream was needed. */
export class PublisherEnded extends Schema.TaggedError<PublisherEnded>()("PublisherEnded", {
  reason: Schema.String,
  /** what the camera sent was no video */
  isGarbage: Schema.optionalKey(Schema.Boolean),
  /** what is to blame will not have changed a moment later, so whoever waits is told now */
  lasting: Schema.optionalKey(Schema.Literals(["BUSY", "NO_PERMISSION", "NO_BANDWIDTH", "GONE", "UNHEARD"]))
}) {}
