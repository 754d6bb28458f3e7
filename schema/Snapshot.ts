import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"
import { TierAttempt } from "./Errors.ts"
import { DownloadUrl, FileName } from "./Storage.ts"

export const SnapshotFormat = Schema.Literals(["jpg", "png"])
export type SnapshotFormat = typeof SnapshotFormat.Type

export const TakeSnapshot = {
  device: CameraId,
  filename: Schema.optionalKey(FileName),
  overwrite: Schema.optionalKey(Schema.Boolean).annotateKey({
    description: "true: a snapshot that has this filename is replaced; else its name is taken (default false)"
  }),
  format: Schema.optionalKey(Schema.Literals(["jpg", "jpeg", "png"])).annotateKey({
    description: "jpeg is another word for jpg"
  }),
  quality: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }, { expected: "a whole number from 1 to 100" }))
  ),
  max_age_ms: Schema.optionalKey(
    Schema.Int.check(
      Schema.isBetween({ minimum: 0, maximum: 3_600_000 }, { expected: "a whole number from 0 to 3600000" })
    )
  ).annotateKey({ description: "how old the picture may be; 0: captured after the call came (default 1000)" })
}

export const SnapshotTaken = Schema.Struct({
  device: CameraId,
  filename: Schema.String,
  status: Schema.Literal("SUCCESS"),
  timestamp: Schema.String.annotate({ description: "when the picture was captured; ISO 8601, UTC" }),
  age_ms: Schema.Finite.annotate({ description: "the picture's age when it was chosen" }),
  keyframe_interval_ms: Schema.optionalKey(Schema.Finite).annotateKey({
    description:
      "of a camera whose stream is passed on: the time between two keyframes, once seen: the picture's age is up to that"
  }),
  file_size: Schema.Int,
  file_path: Schema.String.annotate({ description: "where to download it: a path on this server" }),
  width: Schema.Int,
  height: Schema.Int,
  tier: Schema.Literals([1, 2, 3]),
  tier_name: Schema.Literals(["live", "activated", "direct"]),
  capture_ms: Schema.Finite.annotate({ description: "from the call to the picture at hand" }),
  tiers_tried: Schema.Array(TierAttempt)
})
export type SnapshotTaken = typeof SnapshotTaken.Type

/** What the event `snapshot.taken` tells; the fields of `take_snapshot`'s reply. */
export const SnapshotEvent = Schema.Struct({
  device: SnapshotTaken.fields.device,
  filename: SnapshotTaken.fields.filename,
  timestamp: SnapshotTaken.fields.timestamp,
  age_ms: SnapshotTaken.fields.age_ms,
  file_size: SnapshotTaken.fields.file_size,
  file_path: SnapshotTaken.fields.file_path,
  tier_name: SnapshotTaken.fields.tier_name
})
export type SnapshotEvent = typeof SnapshotEvent.Type

export const SnapshotInfo = Schema.Struct({
  filename: Schema.String,
  file_size: Schema.Int,
  created_time: Schema.String,
  download_url: DownloadUrl,
  width: Schema.Int,
  height: Schema.Int
})
export type SnapshotInfo = typeof SnapshotInfo.Type
