import * as Schema from "effect/Schema"

/** There is no connection to the service, or none any more: a call was not answered. `message` says what was seen of it. */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>()("ConnectionLost", {
  message: Schema.String,
  /** false: the client does not try again by itself, for that would not help */
  retrying: Schema.Boolean
}) {}
