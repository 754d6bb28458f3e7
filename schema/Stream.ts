import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"

const StreamBase = {
  device: CameraId,
  stream_name: Schema.String,
  stream_url: Schema.String.annotate({ description: "RTSP; without credentials" })
}

const startTime = Schema.String.annotate({ description: "ISO 8601, UTC; when it last ran, or empty" })

export const StreamingStarted = Schema.Struct({
  ...StreamBase,
  status: Schema.Literal("STARTED"),
  start_time: startTime,
  auto_close_after: Schema.String.annotate({ description: "how long it lives without a viewer, such as 300s" }),
  ffmpeg_command: Schema.String.annotate({ description: "input kind, size, rate, encoder and why, in words" })
})
export type StreamingStarted = typeof StreamingStarted.Type

export const StreamingStopped = Schema.Struct({
  ...StreamBase,
  status: Schema.Literal("STOPPED"),
  start_time: startTime,
  end_time: Schema.String,
  duration: Schema.Finite.annotate({ description: "seconds" }),
  stream_continues: Schema.Boolean.annotate({ description: "true: a recording or another viewer still needs it" })
})
export type StreamingStopped = typeof StreamingStopped.Type

export const GetStreamUrl = {
  device: CameraId,
  signed: Schema.optionalKey(Schema.Boolean).annotateKey({
    description: "also URLs that a player opens without a header (default false)"
  })
}

export const StreamUrl = Schema.Struct({
  ...StreamBase,
  signed_urls: Schema.optionalKey(
    Schema.Struct({
      rtsp: Schema.String,
      hls: Schema.String,
      webrtc: Schema.String.annotate({ description: "WHEP" }),
      expires_at: Schema.String.annotate({
        description:
          "ISO 8601, UTC: 60 s from now, or the end of the token or key that asked; who watches by then stays"
      })
    })
  ).annotateKey({ description: "where signed was asked for: each opens this camera's stream, and nothing else" }),
  available: Schema.Boolean.annotate({ description: "whether a reader who comes now gets a picture" }),
  active_consumers: Schema.Int,
  stream_status: Schema.Literals(["READY", "NOT_READY", "ERROR"])
})
export type StreamUrl = typeof StreamUrl.Type

export const StreamEncoding = Schema.Struct({
  input: Schema.String.annotate({ description: "what the camera delivers, such as MJPG 640x480 at 30/s" }),
  encoder: Schema.String.annotate({
    description: "copy: the camera's own H.264 as it is; or what encodes: libx264, h264_vaapi, h264_v4l2m2m"
  }),
  hardware: Schema.Boolean.annotate({ description: "the machine's hardware encodes" }),
  reason: Schema.String.annotate({ description: "why this and nothing better, for people" })
})
export type StreamEncoding = typeof StreamEncoding.Type

const streamState = Schema.Literals(["ACTIVE", "INACTIVE", "ERROR", "STARTING", "STOPPING"])

const StreamCodec = Schema.Struct({
  profile: Schema.String,
  level: Schema.String,
  width: Schema.Int,
  height: Schema.Int,
  conformant: Schema.Boolean.annotate({ description: "the bit stream's own SPS meets the configured profile" })
})

export const TranscodeStatus = Schema.Struct({
  stream_name: Schema.String.annotate({ description: "its path: camera0_h264" }),
  status: streamState,
  reason: Schema.optionalKey(Schema.String).annotateKey({ description: "why it is not ACTIVE, or last was not" }),
  readers: Schema.Int,
  needed: Schema.Array(
    Schema.Struct({
      protocol: Schema.Literals(["webrtc", "hls"]),
      why: Schema.String.annotate({ description: "for people, such as: few browsers play H265" })
    })
  ).annotate({
    description: "over what browsers do not play the camera's own stream: they are told the URL of this one"
  }),
  codec: StreamCodec,
  encoding: Schema.optionalKey(StreamEncoding).annotateKey({
    description: "how it is made; absent while nobody watches it"
  })
})
export type TranscodeStatus = typeof TranscodeStatus.Type

export const StreamStatus = Schema.Struct({
  device: CameraId,
  stream_name: Schema.String,
  status: streamState,
  ready: Schema.Boolean,
  reason: Schema.optionalKey(Schema.String).annotateKey({ description: "why it is not ACTIVE, or last was not" }),
  restarts: Schema.Int.annotate({ description: "how often FFmpeg was started again since the stream began" }),
  ffmpeg_process: Schema.Struct({
    running: Schema.Boolean,
    pid: Schema.Int,
    uptime: Schema.Finite.annotate({ description: "seconds" })
  }),
  mediamtx_path: Schema.Struct({ exists: Schema.Boolean, ready: Schema.Boolean, readers: Schema.Int }),
  metrics: Schema.Struct({
    bytes_sent: Schema.Finite,
    frames_sent: Schema.Finite,
    bitrate: Schema.Finite.annotate({ description: "bits per second" }),
    fps: Schema.Finite,
    delay_ms: Schema.optionalKey(Schema.Finite).annotateKey({
      description:
        "milliseconds from the frame, as the camera's driver stamps it, to MediaMTX; absent: not known, as of cameras in the network"
    })
  }),
  codec: StreamCodec,
  encoding: Schema.optionalKey(StreamEncoding).annotateKey({
    description: "how the stream is made; absent while there is none"
  }),
  transcode: Schema.optionalKey(TranscodeStatus).annotateKey({
    description: "of a camera in the network: H.264 and Opus made of what it sends, while somebody watches that"
  }),
  start_time: startTime
})
export type StreamStatus = typeof StreamStatus.Type

export const StreamSummary = Schema.Struct({
  name: Schema.String,
  source: Schema.String.annotate({ description: "what kind of camera it comes from: v4l2, synthetic, network" }),
  ready: Schema.Boolean,
  readers: Schema.Int,
  bytes_sent: Schema.Finite
})
export type StreamSummary = typeof StreamSummary.Type
