import type { Contract, JsonSchema } from "./contract.ts"

/**
 * A value of this schema as a client meets it: what stands below for the field in this place (a method, a notification, an
 * error), or for a field of this name anywhere, else the least that the schema allows.
 */
export const exampleOf = (
  schema: JsonSchema,
  definitions: Contract["definitions"],
  place: string,
  field = "result"
): unknown => {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace("#/$defs/", "")
    return exampleOf(definitions[name] ?? {}, definitions, place, known(place, field) === undefined ? name : field)
  }
  const { anyOf, items, minimum, properties, required, type } = schema
  const value = known(place, field)
  if (schema.enum !== undefined) return schema.enum.find((member) => member === value) ?? schema.enum[0]
  if (anyOf !== undefined) return exampleOf(anyOf[0] ?? {}, definitions, place, field)
  switch (type) {
    case "array":
      return [exampleOf(items ?? {}, definitions, place, field.replace(/s$/, ""))]
    case "object":
      return Object.fromEntries(
        Object.entries(properties ?? {})
          .filter(([name]) => required?.includes(name) === true)
          .map(([name, inner]) => [name, exampleOf(inner, definitions, place, name)])
      )
    case "string":
      return typeof value === "string" ? value : field.replaceAll("_", " ")
    case "boolean":
      return typeof value === "boolean" ? value : true
    default:
      return typeof value === "number" ? value : (minimum ?? 0)
  }
}

const known = (place: string, field: string) => values[`${place}.${field}`] ?? values[field]

const start = "2026-05-17T09:30:00.000Z"
const end = "2026-05-17T09:31:00.000Z"

const recording = "camera0_2026-05-17_09-30-00_000000.mp4"
const snapshot = "camera0_2026-05-17_09-30-00_000000.jpg"
const signature = "thazq8.tib6cg.camera0.7d3f00a1b2c4.Wl3Xv0p6Rk2sQm9aB7cDeF"
const files = "http://192.168.0.7:8002/files"
const drone = "rtsp://192.168.42.10:8554/video"

/** By the name of the field, and where that says too little, by the place and the name. */
const values: Readonly<Record<string, string | number | boolean>> = {
  "InvalidState.allowed_state": "STOPPED",
  "InvalidState.state": "RECORDING",
  "NotFound.id": "camera7",
  "add_external_stream.stream_name": "UAV 7",
  "add_external_stream.stream_url": drone,
  "delete_recording.filename": recording,
  "delete_recording.message": "the recording is deleted",
  "delete_snapshot.message": "the snapshot is deleted",
  "discover_external_streams.capabilitie": "h264",
  "discover_external_streams.name": "UAV 7",
  "get_camera_capabilities.validation_status": "CONFIRMED",
  "get_camera_controls.name": "Brightness",
  "get_external_streams.capabilitie": "h264",
  "get_external_streams.name": "UAV 7",
  "export_recording.download_url": `http://192.168.0.7:8002/export/camera0?from=${start}&to=${end}&signed=${signature}`,
  "get_recorded_files.download_url": `${files}/recordings/${recording}?signed=${signature}`,
  "get_recorded_files.filename": recording,
  "get_recorded_spans.reason": "the recording was stopped",
  "get_recording_parts.download_url": `${files}/recordings/${recording}?signed=${signature}`,
  "get_recording_parts.filename": recording,
  "get_recording_info.download_url": `${files}/recordings/${recording}?signed=${signature}`,
  "get_recording_info.filename": recording,
  "get_server_info.name": "camera-service",
  "get_streams.name": "camera0",
  "get_system_status.status": "ready",
  "list_recordings.download_url": `${files}/recordings/${recording}?signed=${signature}`,
  "list_recordings.filename": recording,
  "ptz_goto.preset": "1",
  "ptz_presets.id": "1",
  "ptz_presets.name": "Gate",
  "recording_status_update.filename": recording,
  "recording_status_update.status": "RECORDING",
  "remove_external_stream.stream_url": drone,
  "set_camera_control.name": "Brightness",
  "set_discovery_interval.message": "streams are looked for every 300 s",
  "start_recording.filename": recording,
  "stop_recording.filename": recording,
  CameraId: "camera0",
  IsoTime: start,
  FileName: snapshot,
  StreamAddress: drone,
  active_consumers: 1,
  age_ms: 12,
  architecture: "x64",
  auth_token: "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiYSJ9.c2lnbmF0dXJl",
  auto_close_after: "300s",
  available_camera: "camera0",
  bitrate: 600_000,
  build_date: "2026-05-01T00:00:00.000Z",
  bytes_sent: 1_048_576,
  capabilitie: "snapshots",
  capture_ms: 3,
  client_id: "client-7",
  codec: "h264",
  connected: 1,
  created_at: start,
  created_time: start,
  default: 0,
  description: "the console in the hall",
  detail: "no frames for 2 s",
  discovered_at: start,
  download_url: `${files}/snapshots/${snapshot}?signed=${signature}`,
  duration: 60,
  encoder: "libx264",
  end,
  end_time: end,
  error: "192.168.42.11 does not answer",
  expires_at: "2026-05-17T21:30:00.000Z",
  ffmpeg_command: "YUYV 640x480 at 30/s, encoded with libx264",
  file: recording,
  file_path: `/files/snapshots/${snapshot}`,
  file_size: 48_213,
  filename: snapshot,
  format: "YUYV",
  from: start,
  feature: "external_streams",
  fps: 30,
  fps_option: 30,
  frames_sent: 1800,
  go_version: "node v24.21.0",
  have_role: "viewer",
  height: 480,
  hint: "the camera's logical name, such as camera0",
  hls: "http://192.168.0.7:8888/camera0/index.m3u8",
  id: 9_963_776,
  init_bytes: 742,
  input: "YUYV 640x480 at 30/s",
  keyframe: 0.4,
  key_id: "7d3f00a1b2c4",
  last_seen: end,
  last_used: end,
  length: 24_948,
  level: "3.0",
  limit: 50,
  max: 64,
  max_cameras: 256,
  message: "all cameras are ready",
  mime_type: 'video/mp4; codecs="avc1.42C01E"',
  min: -64,
  modified_time: start,
  ms: 3,
  name: "Front door",
  offset: 0,
  outcome: "SUCCESS",
  pan: 0.5,
  param: "device",
  permission: "get_camera_list",
  pid: 4711,
  profile: "Constrained Baseline",
  readers: 1,
  reason: "the token has expired",
  required_role: "operator",
  resolution: "640x480",
  resolution_seconds: 86.4,
  retry_after_ms: 100,
  rule: "a camera name: camera followed by a number",
  rtsp: "rtsp://192.168.0.7:8554/camera0",
  runtime_version: "node v24.21.0",
  scan_duration: "1.2s",
  scan_interval: 300,
  scan_timestamp: 1_779_010_200,
  server_time: start,
  session_id: "0b0e7a1e-6e0c-4f0e-9f0a-3a1f5d6c7b8a",
  source: "v4l2",
  start,
  start_time: start,
  step: 1,
  stream_name: "camera0",
  stream_url: "rtsp://192.168.0.7:8554/camera0",
  supported_format: "fmp4",
  timeout_ms: 1000,
  timestamp: start,
  to: end,
  topic: "camera.connected",
  total: 1,
  total_count: 1,
  total_found: 1,
  uptime: 60,
  url: drone,
  user_id: "console",
  value: 12,
  version: "0.1.0",
  webrtc: "http://192.168.0.7:8889/camera0/whep",
  width: 640
}
