import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"
import { DownloadUrl, FileName } from "./Storage.ts"

/** A moment, as clients give it. */
export const IsoTime = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/u, {
    expected: "a time in ISO 8601 with its zone, such as 2026-01-02T03:04:05Z"
  })
).annotate({ identifier: "IsoTime", description: "ISO 8601, with its zone" })

/** A period of at most so many days. */
export const maxPeriodDays = 400

const period = { from: IsoTime, to: IsoTime }

export const GetRecordedSpans = {
  ...period,
  device: Schema.optionalKey(CameraId),
  resolution_seconds: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 86_400 }, { expected: "0 to 86400 seconds" }))
  ).annotateKey({
    description: "the least gap that is told; a second at least, as files of one recording lie that far apart"
  })
}

export const RecordedSpan = Schema.Struct({
  start: Schema.String.annotate({ description: "ISO 8601, UTC; cut to what was asked for" }),
  end: Schema.String,
  recording: Schema.optionalKey(Schema.Literal(true)).annotateKey({ description: "it goes on" }),
  reason: Schema.optionalKey(
    Schema.String.annotate({ description: "why it ended, which is what the gap after it is of; absent: not known" })
  )
}).annotate({ identifier: "RecordedSpan" })

export const RecordedSpans = Schema.Struct({
  from: Schema.String,
  to: Schema.String,
  resolution_seconds: Schema.Finite.annotate({
    description: "spans no more than this apart are told as one: as asked; a second, and a 5000th of the time, at least"
  }),
  cameras: Schema.Array(
    Schema.Struct({
      device: CameraId,
      spans: Schema.Array(RecordedSpan).annotate({ description: "oldest first" })
    })
  )
})

/** `limit` when none is given. */
export const defaultRecordedFiles = 100

export const GetRecordedFiles = {
  ...period,
  device: CameraId,
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }, { expected: "a whole number from 1 to 1000" }))
  )
}

export const RecordedFiles = Schema.Struct({
  device: CameraId,
  files: Schema.Array(
    Schema.Struct({
      filename: FileName,
      start: Schema.String.annotate({ description: "of the file's first picture; ISO 8601, UTC" }),
      end: Schema.String,
      recording: Schema.optionalKey(Schema.Literal(true)).annotateKey({ description: "it is still written" }),
      file_size: Schema.Int,
      download_url: DownloadUrl
    })
  ).annotate({ description: "oldest first; those after the last one: ask from its end" })
})

/** `limit` when none is given. */
export const defaultParts = 1000

export const GetRecordingParts = {
  filename: FileName,
  offset: Schema.optionalKey(
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number, 0 or more" }))
  ),
  limit: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5000 }, { expected: "a whole number from 1 to 5000" }))
  )
}

export const RecordingParts = Schema.Struct({
  filename: FileName,
  mime_type: Schema.String.annotate({ description: "for MediaSource.addSourceBuffer" }),
  init_bytes: Schema.Int.annotate({ description: "the file's first bytes, which a player needs before any part" }),
  start: Schema.String.annotate({ description: "when second 0 of the file was; ISO 8601, UTC" }),
  parts: Schema.Array(
    Schema.Struct({
      offset: Schema.Int,
      length: Schema.Int,
      start: Schema.Finite.annotate({ description: "seconds in the file" }),
      duration: Schema.Finite,
      keyframe: Schema.Finite.annotate({ description: "of its first keyframe: a player that begins here shows it" })
    })
  ),
  total: Schema.Int,
  download_url: DownloadUrl
})

export const ExportRecording = { ...period, device: CameraId }

export const ExportUrl = Schema.Struct({
  device: CameraId,
  from: Schema.String,
  to: Schema.String,
  duration: Schema.Finite.annotate({ description: "seconds of it that were recorded, which is what comes" }),
  download_url: DownloadUrl,
  expires_at: Schema.String.annotate({ description: "ISO 8601, UTC; what has begun by then goes on" })
})
