import * as Schema from "effect/Schema"

/** The service could not be asked, or said no. Exit status 69. */
export class CallFailed extends Schema.TaggedError<CallFailed>()("CallFailed", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}
