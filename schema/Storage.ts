import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"

/** A file's name as clients give it: never a path, never an option, never hidden. */
export const FileName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u, {
    expected: "1 to 128 letters, digits, dots, dashes or underscores, the first a letter or a digit"
  })
).annotate({ identifier: "FileName" })
export type FileName = typeof FileName.Type

/** Which part of a list is asked for. */
export const paging = {
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }, { expected: "a whole number from 1 to 1000" }))
  ),
  offset: Schema.optionalKey(
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number, 0 or more" }))
  )
}

export const ListFiles = { ...paging, device: Schema.optionalKey(CameraId) }
/** `limit` when none is given. */
export const defaultListLimit = 50

export const DownloadUrl = Schema.String.annotate({
  description: "gives this file without a header, for 10 minutes; it ends with the token or key that asked for it"
})

export const FileEntry = Schema.Struct({
  filename: Schema.String,
  device: CameraId,
  file_size: Schema.Int,
  modified_time: Schema.String.annotate({ description: "ISO 8601, UTC" }),
  recording: Schema.optionalKey(Schema.Literal(true)).annotateKey({ description: "it is still written" }),
  download_url: DownloadUrl
})
export type FileEntry = typeof FileEntry.Type

export const FileList = Schema.Struct({
  files: Schema.Array(FileEntry),
  total: Schema.Int,
  limit: Schema.Int,
  offset: Schema.Int
})
export type FileList = typeof FileList.Type

export const FileUrl = Schema.Struct({
  filename: Schema.String,
  download_url: DownloadUrl,
  expires_at: Schema.String.annotate({ description: "ISO 8601, UTC; what has begun by then goes on" })
})
export type FileUrl = typeof FileUrl.Type

export const FileDeleted = Schema.Struct({
  filename: Schema.String,
  deleted: Schema.Boolean,
  message: Schema.String
})
export type FileDeleted = typeof FileDeleted.Type

export const StorageInfo = Schema.Struct({
  total_space: Schema.Int.annotate({
    description: "bytes of the file system that recordings are on, as df counts them"
  }),
  used_space: Schema.Int,
  available_space: Schema.Int,
  usage_percentage: Schema.Finite.annotate({
    description: "used of what is used or available, rounded up to hundredths"
  }),
  recordings_size: Schema.Int.annotate({ description: "bytes of all recordings" }),
  snapshots_size: Schema.Int,
  low_space_warning: Schema.Boolean,
  days_kept: Schema.optionalKey(
    Schema.Finite.annotate({ description: "days since the oldest recording began; absent: there is none" })
  ),
  bytes_per_day: Schema.optionalKey(
    Schema.Int.annotate({ description: "what recordings and snapshots took lately; absent: nothing to tell it from" })
  ),
  full_at: Schema.optionalKey(
    Schema.String.annotate({
      description: "when only the reserve is left if it goes on like that; ISO 8601, UTC; absent: never"
    })
  ),
  retention: Schema.optionalKey(Schema.String.annotate({ description: "what is deleted by itself, for people" })),
  max_age_days: Schema.optionalKey(
    Schema.Finite.annotate({
      description: "files that are older are deleted by themselves; absent: at any age they stay"
    })
  ),
  max_size_gb: Schema.optionalKey(
    Schema.Finite.annotate({
      description:
        "GB of 1024³ bytes, beyond which the oldest are deleted by themselves; absent: there is no such limit"
    })
  )
})
export type StorageInfo = typeof StorageInfo.Type

const above0 = (unit: string) => {
  const expected = `a number of ${unit} above 0, 1000000 at most`
  return Schema.Finite.check(Schema.isGreaterThan(0, { expected }), Schema.isLessThanOrEqualTo(1_000_000, { expected }))
}

const policy = {
  policy_type: Schema.Literals(["age", "size", "manual"]).annotate({
    description: "which limit counts; manual: nothing is deleted but when cleanup_old_files is called"
  }),
  enabled: Schema.Boolean.annotate({ description: "false: nothing is deleted, not even then" }),
  max_age_days: Schema.optionalKey(above0("days")),
  max_size_gb: Schema.optionalKey(above0("GB")).annotateKey({ description: "GB of 1024³ bytes" })
}

/** What is deleted, the oldest first. */
export const RetentionPolicy = Schema.Struct(policy)
export type RetentionPolicy = typeof RetentionPolicy.Type

export const SetRetentionPolicy = {
  ...policy,
  device: Schema.optionalKey(CameraId).annotateKey({ description: "for the files of this camera alone" })
}

export const RetentionPolicySet = Schema.Struct({ ...SetRetentionPolicy, message: Schema.String })
export type RetentionPolicySet = typeof RetentionPolicySet.Type

export const CleanupDone = Schema.Struct({
  cleanup_executed: Schema.Boolean.annotate({ description: "false: retention is switched off" }),
  files_deleted: Schema.Int,
  space_freed: Schema.Int.annotate({ description: "bytes" }),
  message: Schema.String
})
export type CleanupDone = typeof CleanupDone.Type
