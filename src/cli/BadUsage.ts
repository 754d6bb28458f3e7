import * as Schema from "effect/Schema"

/** The command line asks for something that there is not. Exit status 64 (sysexits.h, EX_USAGE). */
export class BadUsage extends Schema.TaggedError<BadUsage>()("BadUsage", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}
