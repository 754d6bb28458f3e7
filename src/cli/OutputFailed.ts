import * as Schema from "effect/Schema"

/** What was asked for could not be written to standard output. Exit status 73 (sysexits.h, EX_CANTCREAT). */
export class OutputFailed extends Schema.TaggedError<OutputFailed>()("OutputFailed", {
  /** the errno's name */
  code: Schema.String
}) {
  override get message(): string {
    const what = this.code === "ENOSPC" ? "there is no space left" : "what is there is not whole"
    return `standard output cannot be written (${this.code}): ${what}`
  }
}
