import * as Schema from "effect/Schema"

/** A file is no backup that can be restored here; nothing was changed. Exit status 65 (sysexits.h, EX_DATAERR). */
export class BackupUnusable extends Schema.TaggedError<BackupUnusable>()("BackupUnusable", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.file} cannot be restored, and nothing was changed: ${this.detail}`
  }
}
