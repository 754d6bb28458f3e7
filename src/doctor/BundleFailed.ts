import * as Schema from "effect/Schema"

/** The file of `doctor --bundle` could not be made; one that is there is left as it is. */
export class BundleFailed extends Schema.TaggedError<BundleFailed>()("BundleFailed", {
  file: Schema.String,
  /** the errno's name */
  code: Schema.String
}) {
  override get message(): string {
    return this.code === "EEXIST"
      ? `${this.file} is there already: name another file`
      : `${this.file} cannot be written (${this.code}): name another file`
  }
}
