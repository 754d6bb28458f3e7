import * as Schema from "effect/Schema"

/** Who read standard output went (`| head`): what goes on to be read is over. No failure of anybody's. */
export class ReaderGone extends Schema.TaggedError<ReaderGone>()("ReaderGone", {}) {}
