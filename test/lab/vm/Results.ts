import * as Schema from "effect/Schema"

/** How a play ended: one line of `results` in the folder that the machine shares with its host. */
const Result = Schema.Struct({
  title: Schema.String,
  seconds: Schema.Finite,
  /** why it failed; absent when it went as it should */
  failure: Schema.optionalKey(Schema.String)
})

const Line = Schema.fromJsonString(Result)
export const encodeResult = Schema.encodeSync(Line)
export const decodeResult = Schema.decodeUnknownSync(Line)

/** Written line by line, as plays end. */
export const resultsFile = "results"
