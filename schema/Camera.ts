import * as Schema from "effect/Schema"

/** `camera0`, `camera1`, …: the only name clients know a device by. */
export const CameraId = Schema.String.check(
  Schema.isPattern(/^camera[0-9]{1,9}$/u, { expected: "a camera name: camera followed by a number" })
).annotate({ identifier: "CameraId", description: "the camera's logical name, such as camera0" })
export type CameraId = typeof CameraId.Type

export const CameraStatus = Schema.Literals(["CONNECTED", "DISCONNECTED", "ERROR"])
export type CameraStatus = typeof CameraStatus.Type

export const Camera = Schema.Struct({
  device: CameraId,
  status: CameraStatus,
  name: Schema.String.annotate({ description: "what the device calls itself" }),
  resolution: Schema.String.annotate({ description: "WIDTHxHEIGHT of the published stream" }),
  fps: Schema.Finite.annotate({ description: "frames per second of the published stream" }),
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
  validation_status: Schema.Literals(["NONE", "DISCONNECTED", "CONFIRMED"])
})
export type CameraCapabilities = typeof CameraCapabilities.Type
