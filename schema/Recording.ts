import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"
import { DownloadUrl } from "./Storage.ts"

/**
 * `fmp4` and `mpegts` are written as they are; `mp4` and `mkv` are remuxed when the recording stops. `stanag4609` is `mpegts`,
 * which has the camera's metadata (KLV) in it, bit by bit.
 */
export const RecordingFormat = Schema.Literals(["fmp4", "mpegts", "stanag4609", "mp4", "mkv"])
export type RecordingFormat = typeof RecordingFormat.Type

export const StartRecording = {
  device: CameraId,
  duration: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 86400 }, { expected: "whole seconds from 1 to 86400" }))
  ),
  format: Schema.optionalKey(RecordingFormat)
}

export const RecordingStarted = Schema.Struct({
  device: CameraId,
  filename: Schema.String,
  status: Schema.Literal("RECORDING"),
  start_time: Schema.String,
  format: RecordingFormat,
  reason: Schema.optionalKey(
    Schema.String.annotate({ description: "what is not as it should be: it may not go on after a crash" })
  )
})
export type RecordingStarted = typeof RecordingStarted.Type

export const RecordingStopped = Schema.Struct({
  device: CameraId,
  filename: Schema.String.annotate({ description: "the first of files" }),
  format: RecordingFormat,
  start_time: Schema.String,
  end_time: Schema.String,
  duration: Schema.Finite.annotate({ description: "seconds of video in all files" }),
  file_size: Schema.Int.annotate({ description: "bytes of all files" }),
  files: Schema.Array(Schema.String).annotate({ description: "the segments, oldest first: the newest thousand" }),
  status: Schema.Literal("STOPPED"),
  reason: Schema.optionalKey(
    Schema.String.annotate({
      description:
        "what is not as it should be: a file that is lost, or not safe on the disk; or after a crash it may go on"
    })
  )
})
export type RecordingStopped = typeof RecordingStopped.Type

export const RecordingInfo = Schema.Struct({
  filename: Schema.String,
  file_size: Schema.Int,
  duration: Schema.Finite,
  created_time: Schema.String,
  download_url: DownloadUrl,
  codec: Schema.String,
  width: Schema.Int,
  height: Schema.Int
})
export type RecordingInfo = typeof RecordingInfo.Type

/** The params of the notification `recording_status_update`. */
export const RecordingStatusUpdate = Schema.Struct({
  device: CameraId,
  status: Schema.Literals(["STARTING", "RECORDING", "STOPPED", "ERROR"]),
  filename: Schema.String.annotate({
    description: "the file that is written, or was last; empty until the first bytes are on disk"
  }),
  duration: Schema.Finite.annotate({
    description: "seconds since it was asked for; STOPPED: of video in its files, as stop_recording tells"
  }),
  reason: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "RecordingStatusUpdate" })
export type RecordingStatusUpdate = typeof RecordingStatusUpdate.Type
