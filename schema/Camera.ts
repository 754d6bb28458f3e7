import * as Schema from "effect/Schema"

/** `camera0`, `camera1`, …: the only name clients know a device by. */
export const CameraId = Schema.String.check(
  Schema.isPattern(/^camera[0-9]{1,9}$/u, { expected: "a camera name: camera followed by a number" })
).annotate({ identifier: "CameraId", description: "the camera's logical name, such as camera0" })
export type CameraId = typeof CameraId.Type

export const isCameraId = Schema.is(CameraId)

/** `camera0`, or a glob (`*` any characters, `?` one) that stands for the cameras it matches. */
export const CameraPattern = Schema.String.check(
  Schema.isPattern(/^[a-z0-9*?]{1,64}$/u, { expected: "a camera name, or a glob such as camera1*" })
).annotate({ identifier: "CameraPattern" })

export const CameraStatus = Schema.Literals(["CONNECTED", "DISCONNECTED", "ERROR"])
export type CameraStatus = typeof CameraStatus.Type

/**
 * `BUSY`: another program has it open. `NO_PERMISSION`: the service may not open it. `NO_BANDWIDTH`: the USB bus has no
 * room for its stream. `FROZEN`: it is open and sends no frames. `WRONG_DATA`: what it sends is no video.
 * `UNRESPONSIVE`: it does not say what it is.
 *
 * Of cameras in the network: `UNREACHABLE`: no connection, or it broke. `AUTH_FAILED`: its credentials are refused.
 * `NOT_FOUND`: no such stream there. `NO_VIDEO`: the stream has none. `SESSION_LIMIT`: it serves no more viewers. `STALLED`:
 * it sends nothing any more. `REDIRECTED`: it sends to another address. `PROTOCOL`: what it says is not understood.
 * `CERTIFICATE_CHANGED`: it shows another certificate than when it was added.
 */
export const FaultKind = Schema.Literals([
  "BUSY",
  "NO_PERMISSION",
  "NO_BANDWIDTH",
  "FROZEN",
  "WRONG_DATA",
  "UNRESPONSIVE",
  "UNREACHABLE",
  "AUTH_FAILED",
  "NOT_FOUND",
  "NO_VIDEO",
  "SESSION_LIMIT",
  "STALLED",
  "REDIRECTED",
  "PROTOCOL",
  "CERTIFICATE_CHANGED"
])
export type FaultKind = typeof FaultKind.Type

export const CameraFault = Schema.Struct({
  kind: FaultKind,
  detail: Schema.String.annotate({ description: "what was seen, such as: opened by obs (process 812)" }),
  suggestion: Schema.String.annotate({ description: "what to do about it" })
})

const RecordingUnderWay = Schema.Struct({
  status: Schema.Literals(["STARTING", "RECORDING", "ERROR"]).annotate({
    description: "RECORDING: its bytes are on disk; ERROR: nothing can be written, and it goes on by itself"
  }),
  since: Schema.String.annotate({ description: "when it was asked for; ISO 8601, UTC" }),
  reason: Schema.optionalKey(Schema.String)
})

export const Camera = Schema.Struct({
  device: CameraId,
  status: CameraStatus.annotate({ description: "DISCONNECTED: not plugged in; ERROR: plugged in, see fault" }),
  fault: Schema.optionalKey(CameraFault),
  name: Schema.String.annotate({ description: "what the device calls itself" }),
  resolution: Schema.String.annotate({ description: "WIDTHxHEIGHT of the published stream" }),
  fps: Schema.Finite.annotate({ description: "frames per second of the published stream" }),
  recording: Schema.optionalKey(RecordingUnderWay).annotateKey({ description: "left out while it is not recorded" }),
  streams: Schema.Struct({ rtsp: Schema.String, hls: Schema.String, webrtc: Schema.String }).annotate({
    description: "where viewers find the stream; a token is needed as the password or as ?token="
  })
}).annotate({ identifier: "Camera" })
export type Camera = typeof Camera.Type

export const CameraList = Schema.Struct({
  cameras: Schema.Array(Camera),
  total: Schema.Int,
  connected: Schema.Int
})
export type CameraList = typeof CameraList.Type

export const CameraDetails = Schema.Struct({
  ...Camera.fields,
  metrics: Schema.optionalKey(
    Schema.Struct({
      bytes_sent: Schema.Finite,
      readers: Schema.Int,
      uptime: Schema.Finite.annotate({ description: "seconds the stream has run" })
    })
  ),
  capabilities: Schema.optionalKey(
    Schema.Struct({ formats: Schema.Array(Schema.String), resolutions: Schema.Array(Schema.String) })
  ),
  debug: Schema.optionalKey(
    Schema.Struct({
      internal_device_path: Schema.String.annotate({ description: "only for an admin who asks with debug: true" })
    })
  )
})
export type CameraDetails = typeof CameraDetails.Type

export const CameraCapabilities = Schema.Struct({
  device: CameraId,
  formats: Schema.Array(Schema.String).annotate({
    description: "pixel formats, as the kernel names them (YUYV, MJPG)"
  }),
  resolutions: Schema.Array(Schema.String),
  fps_options: Schema.Array(Schema.Finite),
  current: Schema.optionalKey(
    Schema.Struct({ format: Schema.String, resolution: Schema.String, fps: Schema.optionalKey(Schema.Finite) })
  ).annotateKey({ description: "what is set on the device now, by whoever used it last" }),
  ptz: Schema.Boolean.annotate({ description: "it can be moved: ptz_move" }),
  validation_status: Schema.Literals(["NONE", "DISCONNECTED", "CONFIRMED"])
})
export type CameraCapabilities = typeof CameraCapabilities.Type
