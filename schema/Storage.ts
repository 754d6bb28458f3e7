import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"

/** A file's name as clients give it: never a path, never an option, never hidden. */
export const FileName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u, {
    expected: "1 to 128 letters, digits, dots, dashes or underscores, the first a letter or a digit"
  })
).annotate({ identifier: "FileName" })
export type FileName = typeof FileName.Type

export const ListFiles = {
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }, { expected: "a whole number from 1 to 1000" }))
  ),
  offset: Schema.optionalKey(
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number, 0 or more" }))
  ),
  device: Schema.optionalKey(CameraId)
}
/** `limit` when none is given. */
export const defaultListLimit = 50

export const FileEntry = Schema.Struct({
  filename: Schema.String,
  device: CameraId,
  file_size: Schema.Int,
  modified_time: Schema.String.annotate({ description: "ISO 8601, UTC" }),
  download_url: Schema.String.annotate({ description: "a path on this server" })
})
export type FileEntry = typeof FileEntry.Type

export const FileList = Schema.Struct({
  files: Schema.Array(FileEntry),
  total: Schema.Int,
  limit: Schema.Int,
  offset: Schema.Int
})
export type FileList = typeof FileList.Type

export const FileDeleted = Schema.Struct({
  filename: Schema.String,
  deleted: Schema.Boolean,
  message: Schema.String
})
export type FileDeleted = typeof FileDeleted.Type
