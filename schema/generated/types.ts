// Written by scripts/generate from schema/; do not edit.

export type CameraPattern = string

export type ApiKey = {
  key_id: string
  /** viewing: opens the streams of its cameras only */
  kind: "api" | "viewing"
  role: "viewer" | "operator" | "admin"
  /** the only cameras it may see; absent: all */
  cameras?: Array<CameraPattern>
  description?: string
  /** ISO 8601, UTC */
  created_at: string
  /** the user who made it */
  created_by: string
  /** ISO 8601, UTC */
  expires_at: string
  /** ISO 8601, UTC; to a minute or so */
  last_used?: string
  status: "ACTIVE" | "EXPIRED" | "REVOKED"
}

/** the camera's logical name, such as camera0 */
export type CameraId = string

export type Camera = {
  device: CameraId
  /** DISCONNECTED: not plugged in; ERROR: plugged in, see fault */
  status: "CONNECTED" | "DISCONNECTED" | "ERROR"
  fault?: {
    kind: "BUSY" | "NO_PERMISSION" | "NO_BANDWIDTH" | "FROZEN" | "WRONG_DATA" | "UNRESPONSIVE" | "UNREACHABLE" | "AUTH_FAILED" | "NOT_FOUND" | "NO_VIDEO" | "SESSION_LIMIT" | "STALLED" | "REDIRECTED" | "PROTOCOL" | "CERTIFICATE_CHANGED"
    /** what was seen, such as: opened by obs (process 812) */
    detail: string
    /** what to do about it */
    suggestion: string
  }
  /** what the device calls itself */
  name: string
  /** WIDTHxHEIGHT of the published stream */
  resolution: string
  /** frames per second of the published stream */
  fps: number
  /** left out while it is not recorded */
  recording?: {
    /** RECORDING: its bytes are on disk; ERROR: nothing can be written, and it goes on by itself */
    status: "STARTING" | "RECORDING" | "ERROR"
    /** when it was asked for; ISO 8601, UTC */
    since: string
    reason?: string
  }
  /** where viewers find the stream; a token is needed as the password or as ?token= */
  streams: {
    rtsp: string
    hls: string
    webrtc: string
  }
}

export type Control = {
  /** the kernel's number of the control (V4L2_CID_*) */
  id: number
  name: string
  type: "integer" | "boolean" | "menu" | "button" | "integer64" | "string" | "bitmask" | "integer_menu"
  /** of a string: its shortest length in bytes */
  min: number | string
  /** of a string: its longest length in bytes; of a bitmask: all bits there are */
  max: number | string
  step: number | string
  default: number | string
  /** a boolean is 0 or 1; text of a string, and decimal text of an integer64 beyond 2^53; null: it cannot be read */
  value: number | string | null
  /** the values that a menu has */
  menu?: Array<{
    value: number
    name: string
  }>
  /** it cannot be set */
  read_only?: true
  /** it cannot be read */
  write_only?: true
  /** another control governs it now, such as an automatic one */
  inactive?: true
  /** it cannot be set now, such as while the camera streams */
  grabbed?: true
  /** its value changes by itself */
  volatile?: true
}

export type Preset = {
  id: string
  name: string
}

export type FileName = string

export type TelemetryValues = {
  mission_id?: string
  platform_tail_number?: string
  platform_designation?: string
  platform_call_sign?: string
  /** degrees */
  platform_heading_deg?: number
  /** degrees */
  platform_pitch_deg?: number
  /** degrees */
  platform_roll_deg?: number
  image_source_sensor?: string
  image_coordinate_system?: string
  /** degrees */
  sensor_latitude_deg?: number
  /** degrees */
  sensor_longitude_deg?: number
  /** metres */
  sensor_altitude_m?: number
  /** metres */
  sensor_ellipsoid_height_m?: number
  /** degrees */
  sensor_horizontal_fov_deg?: number
  /** degrees */
  sensor_vertical_fov_deg?: number
  /** degrees */
  sensor_relative_azimuth_deg?: number
  /** degrees */
  sensor_relative_elevation_deg?: number
  /** degrees */
  sensor_relative_roll_deg?: number
  /** metres */
  slant_range_m?: number
  /** metres */
  target_width_m?: number
  /** degrees */
  frame_center_latitude_deg?: number
  /** degrees */
  frame_center_longitude_deg?: number
  /** metres */
  frame_center_elevation_m?: number
  /** metres */
  frame_center_ellipsoid_height_m?: number
  /** degrees */
  offset_corner_latitude_1_deg?: number
  /** degrees */
  offset_corner_longitude_1_deg?: number
  /** degrees */
  offset_corner_latitude_2_deg?: number
  /** degrees */
  offset_corner_longitude_2_deg?: number
  /** degrees */
  offset_corner_latitude_3_deg?: number
  /** degrees */
  offset_corner_longitude_3_deg?: number
  /** degrees */
  offset_corner_latitude_4_deg?: number
  /** degrees */
  offset_corner_longitude_4_deg?: number
  /** degrees */
  corner_latitude_1_deg?: number
  /** degrees */
  corner_longitude_1_deg?: number
  /** degrees */
  corner_latitude_2_deg?: number
  /** degrees */
  corner_longitude_2_deg?: number
  /** degrees */
  corner_latitude_3_deg?: number
  /** degrees */
  corner_longitude_3_deg?: number
  /** degrees */
  corner_latitude_4_deg?: number
  /** degrees */
  corner_longitude_4_deg?: number
  uas_ls_version?: number
  /** hexadecimal */
  miis_core_id?: string
}

export type TelemetrySecurity = {
  classification?: "UNCLASSIFIED" | "RESTRICTED" | "CONFIDENTIAL" | "SECRET" | "TOP SECRET"
  country_coding_method?: number
  classifying_country?: string
  sci_shi_information?: string
  caveats?: string
  releasing_instructions?: string
  object_country_coding_method?: number
  object_country_codes?: string
  version?: number
}

export type TelemetryPoint = {
  /** seconds since the recording's beginning */
  offset: number
  /** by the camera's clock: ISO 8601 with microseconds, UTC without its leap seconds */
  precision_time_stamp: string
  values: TelemetryValues
  security?: TelemetrySecurity
  /** tags of ST 0601 that are not among the values: of another kind, of a wrong length, without a value; 64 at most */
  unread_tags?: Array<number>
}

/** ISO 8601, with its zone */
export type IsoTime = string

export type RecordedSpan = {
  /** ISO 8601, UTC; cut to what was asked for */
  start: string
  end: string
  /** it goes on */
  recording?: true
  /** why it ended, which is what the gap after it is of; absent: not known */
  reason?: string
}

/** a topic, or all that begin alike: camera.*, recording.*, snapshot.*, discovery.*, system.* */
export type TopicPattern = "camera.connected" | "camera.disconnected" | "camera.status_change" | "camera.removed" | "recording.start" | "recording.stop" | "recording.error" | "snapshot.taken" | "telemetry" | "discovery.progress" | "system.health" | "system.startup" | "system.shutdown" | "system.notifications_lost" | "camera.*" | "recording.*" | "snapshot.*" | "discovery.*" | "system.*" | "recording.started" | "recording.stopped" | "camera_status_update" | "recording_status_update" | "system_health_update"

export type Certificate = {
  of: "stream" | "device"
  /** its fingerprint, in hex */
  sha256: string
}

export type ExternalStream = {
  /** without credentials */
  url: string
  type: "skydio_stanag4609" | "generic_rtsp" | "onvif"
  name: string
  status: "DISCOVERED" | "ONLINE" | "OFFLINE" | "ERROR"
  /** ISO 8601, UTC */
  discovered_at: string
  /** ISO 8601, UTC; empty: it was never reached */
  last_seen: string
  /** what it carries, such as h264 or klv */
  capabilities: Array<string>
  /** for operators, where it is reached over TLS: those that were seen first, and no others are accepted */
  certificates?: Array<Certificate>
  /** for operators: it shows another one now, and is not used; remove it and add it again to accept that */
  certificate_changed?: true
}

export type StreamAddress = string

export type ServiceStatus = {
  status: "HEALTHY" | "DEGRADED" | "UNHEALTHY"
  /** seconds that the service has run */
  uptime: number
  version: string
  components: {
    websocket_server: "RUNNING" | "STOPPED" | "ERROR" | "STARTING" | "STOPPING"
    camera_monitor: "RUNNING" | "STOPPED" | "ERROR" | "STARTING" | "STOPPING"
    mediamtx: "RUNNING" | "STOPPED" | "ERROR" | "STARTING" | "STOPPING"
  }
  /** why it is not HEALTHY; for admins who may see every camera */
  reasons?: Array<string>
}

export type CameraMetrics = {
  status: "CONNECTED" | "DISCONNECTED" | "ERROR"
  fault?: "BUSY" | "NO_PERMISSION" | "NO_BANDWIDTH" | "FROZEN" | "WRONG_DATA" | "UNRESPONSIVE" | "UNREACHABLE" | "AUTH_FAILED" | "NOT_FOUND" | "NO_VIDEO" | "SESSION_LIMIT" | "STALLED" | "REDIRECTED" | "PROTOCOL" | "CERTIFICATE_CHANGED"
  stream: "ACTIVE" | "INACTIVE" | "ERROR" | "STARTING" | "STOPPING"
  fps: number
  frames_sent: number
  /** of FFmpeg, since the stream is needed */
  restarts: number
  viewers?: number
}

export type RecordingMetrics = {
  /** RUNNING: it is written; ERROR: it is to be, and cannot */
  state: "RUNNING" | "STOPPED" | "ERROR" | "STARTING" | "STOPPING"
  /** ISO 8601, UTC */
  since: string
}

export type RecordingStatusUpdate = {
  device: CameraId
  status: "STARTING" | "RECORDING" | "STOPPED" | "ERROR"
  /** the file that is written, or was last; empty until the first bytes are on disk */
  filename: string
  /** seconds since it was asked for; STOPPED: of video in its files, as stop_recording tells */
  duration: number
  reason?: string
}

export type CameraEvent = {
  topic: "camera.connected" | "camera.disconnected" | "camera.status_change" | "camera.removed"
  device: CameraId
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: Camera
}

export type RecordingEvent = {
  topic: "recording.start" | "recording.stop" | "recording.error"
  device: CameraId
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: RecordingStatusUpdate
}

export type SnapshotTakenEvent = {
  topic: "snapshot.taken"
  device: CameraId
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: {
    device: CameraId
    filename: string
    /** when the picture was captured; ISO 8601, UTC */
    timestamp: string
    /** the picture's age when it was chosen */
    age_ms: number
    file_size: number
    /** where to download it: a path on this server */
    file_path: string
    tier_name: "live" | "activated" | "direct"
  }
}

export type Telemetry = {
  device: CameraId
  /** by the camera's clock: ISO 8601 with microseconds, UTC without its leap seconds */
  precision_time_stamp: string
  values: TelemetryValues
  security?: TelemetrySecurity
  /** tags of ST 0601 that are not among the values: of another kind, of a wrong length, without a value; 64 at most */
  unread_tags?: Array<number>
}

export type TelemetryTopicEvent = {
  topic: "telemetry"
  device: CameraId
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: Telemetry
}

export type HealthEvent = {
  topic: "system.health"
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: ServiceStatus
}

export type StartupEvent = {
  topic: "system.startup"
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: {
    version: string
  }
}

export type DiscoveryProgressEvent = {
  topic: "discovery.progress"
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: {
    state: "SCANNING" | "DONE"
    /** ports of addresses that were looked at */
    looked: number
    /** ports of addresses that are to be looked at */
    total: number
    /** streams */
    found: number
  }
}

export type ShutdownEvent = {
  topic: "system.shutdown"
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: Record<string, never>
}

export type NotificationsLostEvent = {
  topic: "system.notifications_lost"
  /** when it happened; ISO 8601, UTC */
  timestamp: string
  data: {
    /** notifications that this client did not get: it read too slowly */
    lost: number
  }
}

/** Every method, by its name on the wire. */
export interface Methods {
  /** Answers pong. Anybody may call it. */
  ping: {
    params: Record<string, never>
    result: "pong"
  }
  /** Says who is asking, with a token or a key; the connection stays so until the token expires. Anybody may call it. */
  authenticate: {
    params: {
      auth_token: string
    }
    result: {
      authenticated: boolean
      role: "viewer" | "operator" | "admin"
      /** the methods this role may call */
      permissions: Array<string>
      /** ISO 8601, UTC */
      expires_at: string
      session_id: string
    }
  }
  /** Gives a new token for the same user and role, before the old one expires. Role: viewer. */
  refresh_token: {
    params: Record<string, never>
    result: {
      /** for the next authenticate: same user, role and cameras */
      auth_token: string
      /** ISO 8601, UTC */
      expires_at: string
    }
  }
  /** Makes a key that authenticates like a token; it is shown this once. Role: admin. */
  create_api_key: {
    params: {
      role: "viewer" | "operator" | "admin"
      description?: string
      expires_in_days?: number
      cameras?: Array<CameraPattern>
    }
    result: {
      key_id: string
      /** viewing: opens the streams of its cameras only */
      kind: "api" | "viewing"
      role: "viewer" | "operator" | "admin"
      /** the only cameras it may see; absent: all */
      cameras?: Array<CameraPattern>
      description?: string
      /** ISO 8601, UTC */
      created_at: string
      /** the user who made it */
      created_by: string
      /** ISO 8601, UTC */
      expires_at: string
      /** ISO 8601, UTC; to a minute or so */
      last_used?: string
      status: "ACTIVE" | "EXPIRED" | "REVOKED"
      /** the key itself, shown this once */
      api_key: string
    }
  }
  /** All keys, without their secrets. Role: admin. */
  list_api_keys: {
    params: Record<string, never>
    result: {
      /** newest first */
      keys: Array<ApiKey>
      total: number
    }
  }
  /** Ends a key, and what it has opened. Role: admin. */
  revoke_api_key: {
    params: {
      key_id: string
    }
    result: ApiKey
  }
  /** Gives a key a new secret, shown this once; the old one ends. Role: admin. */
  rotate_api_key: {
    params: {
      key_id: string
    }
    result: {
      key_id: string
      /** viewing: opens the streams of its cameras only */
      kind: "api" | "viewing"
      role: "viewer" | "operator" | "admin"
      /** the only cameras it may see; absent: all */
      cameras?: Array<CameraPattern>
      description?: string
      /** ISO 8601, UTC */
      created_at: string
      /** the user who made it */
      created_by: string
      /** ISO 8601, UTC */
      expires_at: string
      /** ISO 8601, UTC; to a minute or so */
      last_used?: string
      status: "ACTIVE" | "EXPIRED" | "REVOKED"
      /** the key itself, shown this once */
      api_key: string
    }
  }
  /** Makes a short key that opens one camera's streams in a player. Role: viewer. */
  create_viewing_key: {
    params: {
      device: CameraId
      expires_in_seconds?: number
    }
    result: {
      /** what revoke_api_key takes */
      key_id: string
      /** 60 characters: as the password, as ?token=, as a Bearer token */
      viewing_key: string
      device: CameraId
      /** ISO 8601, UTC; it ends with the token or key that it was made with, if that comes first */
      expires_at: string
      /** the camera's streams, the key in the URL */
      streams: {
        rtsp: string
        hls: string
        webrtc: string
      }
    }
  }
  /** All cameras that the user may see, also those that are away. Role: viewer. */
  get_camera_list: {
    params: Record<string, never>
    result: {
      cameras: Array<Camera>
      total: number
      connected: number
    }
  }
  /** One camera, with what it can deliver and how much of it is watched. Role: viewer. */
  get_camera_status: {
    params: {
      device: CameraId
      debug?: boolean
    }
    result: {
      device: CameraId
      /** DISCONNECTED: not plugged in; ERROR: plugged in, see fault */
      status: "CONNECTED" | "DISCONNECTED" | "ERROR"
      fault?: {
        kind: "BUSY" | "NO_PERMISSION" | "NO_BANDWIDTH" | "FROZEN" | "WRONG_DATA" | "UNRESPONSIVE" | "UNREACHABLE" | "AUTH_FAILED" | "NOT_FOUND" | "NO_VIDEO" | "SESSION_LIMIT" | "STALLED" | "REDIRECTED" | "PROTOCOL" | "CERTIFICATE_CHANGED"
        /** what was seen, such as: opened by obs (process 812) */
        detail: string
        /** what to do about it */
        suggestion: string
      }
      /** what the device calls itself */
      name: string
      /** WIDTHxHEIGHT of the published stream */
      resolution: string
      /** frames per second of the published stream */
      fps: number
      /** left out while it is not recorded */
      recording?: {
        /** RECORDING: its bytes are on disk; ERROR: nothing can be written, and it goes on by itself */
        status: "STARTING" | "RECORDING" | "ERROR"
        /** when it was asked for; ISO 8601, UTC */
        since: string
        reason?: string
      }
      /** where viewers find the stream; a token is needed as the password or as ?token= */
      streams: {
        rtsp: string
        hls: string
        webrtc: string
      }
      metrics?: {
        bytes_sent: number
        readers: number
        /** seconds the stream has run */
        uptime: number
      }
      capabilities?: {
        formats: Array<string>
        resolutions: Array<string>
      }
      debug?: {
        /** only for an admin who asks with debug: true */
        internal_device_path: string
      }
    }
  }
  /** The formats, sizes and rates of a camera, and what is set on it now. Role: viewer. */
  get_camera_capabilities: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      /** pixel formats, as the kernel names them (YUYV, MJPG) */
      formats: Array<string>
      resolutions: Array<string>
      fps_options: Array<number>
      /** what is set on the device now, by whoever used it last */
      current?: {
        format: string
        resolution: string
        fps?: number
      }
      /** it can be moved: ptz_move */
      ptz: boolean
      validation_status: "NONE" | "DISCONNECTED" | "CONFIRMED"
    }
  }
  /** The controls of a camera (brightness, exposure, focus) with their values and ranges. Role: viewer. */
  get_camera_controls: {
    params: {
      device: CameraId
    }
    result: {
      controls: Array<Control>
    }
  }
  /** Sets a control of a camera, also while it streams, and answers with the control as it then is. Role: operator. */
  set_camera_control: {
    params: {
      device: CameraId
      id: number
      /** a number; true or false for a boolean; text for a string or a large integer64; a button needs none */
      value?: number | boolean | string
    }
    result: Control
  }
  /** Moves a camera: pan, tilt, zoom. It stops when nobody says so again in time, or its client has gone. Role: operator. */
  ptz_move: {
    params: {
      device: CameraId
      /** 1: to the right as fast as it can; -1: to the left; default 0 */
      pan?: number
      /** 1: up; -1: down; default 0 */
      tilt?: number
      /** 1: in; -1: out; default 0 */
      zoom?: number
      /** it stops so long after its last ptz_move, if nobody stopped it before; default 1000 */
      timeout_ms?: number
    }
    result: {
      device: CameraId
      status: "MOVING"
      pan: number
      tilt: number
      zoom: number
      timeout_ms: number
    }
  }
  /** Stops a camera that moves, whoever moves it. Role: operator. */
  ptz_stop: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      status: "STOPPED"
    }
  }
  /** The positions that a camera has kept. Role: operator. */
  ptz_presets: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      presets: Array<Preset>
    }
  }
  /** Has a camera go to a position that it has kept. Role: operator. */
  ptz_goto: {
    params: {
      device: CameraId
      /** the camera's own word for it */
      preset: string
    }
    result: {
      device: CameraId
      /** it stops by itself once it is there */
      status: "MOVING"
      preset: string
    }
  }
  /** Takes a picture the fastest way there is: from the running stream, by starting it, or from the device. Role: operator. */
  take_snapshot: {
    params: {
      device: CameraId
      filename?: FileName
      /** true: a snapshot that has this filename is replaced; else its name is taken (default false) */
      overwrite?: boolean
      /** jpeg is another word for jpg */
      format?: "jpg" | "jpeg" | "png"
      quality?: number
      /** how old the picture may be; 0: captured after the call came (default 1000) */
      max_age_ms?: number
    }
    result: {
      device: CameraId
      filename: string
      status: "SUCCESS"
      /** when the picture was captured; ISO 8601, UTC */
      timestamp: string
      /** the picture's age when it was chosen */
      age_ms: number
      /** of a camera whose stream is passed on: the time between two keyframes, once seen: the picture's age is up to that */
      keyframe_interval_ms?: number
      file_size: number
      /** where to download it: a path on this server */
      file_path: string
      width: number
      height: number
      tier: 1 | 2 | 3
      tier_name: "live" | "activated" | "direct"
      /** from the call to the picture at hand */
      capture_ms: number
      tiers_tried: Array<{
        tier: 1 | 2 | 3
        outcome: string
        ms: number
      }>
    }
  }
  /** Starts to record a camera; answers as soon as there are bytes on disk. Role: operator. */
  start_recording: {
    params: {
      device: CameraId
      duration?: number
      format?: "fmp4" | "mpegts" | "stanag4609" | "mp4" | "mkv"
    }
    result: {
      device: CameraId
      filename: string
      status: "RECORDING"
      start_time: string
      format: "fmp4" | "mpegts" | "stanag4609" | "mp4" | "mkv"
      /** what is not as it should be: it may not go on after a crash */
      reason?: string
    }
  }
  /** Ends a recording; answers when its files are whole on disk. Role: operator. */
  stop_recording: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      /** the first of files */
      filename: string
      format: "fmp4" | "mpegts" | "stanag4609" | "mp4" | "mkv"
      start_time: string
      end_time: string
      /** seconds of video in all files */
      duration: number
      /** bytes of all files */
      file_size: number
      /** the segments, oldest first: the newest thousand */
      files: Array<string>
      status: "STOPPED"
      /** what is not as it should be: a file that is lost, or not safe on the disk; or after a crash it may go on */
      reason?: string
    }
  }
  /** Starts the stream of a camera, as a viewer would, and answers when MediaMTX has it. Role: operator. */
  start_streaming: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      stream_name: string
      /** RTSP; without credentials */
      stream_url: string
      status: "STARTED"
      /** ISO 8601, UTC; when it last ran, or empty */
      start_time: string
      /** how long it lives without a viewer, such as 300s */
      auto_close_after: string
      /** input kind, size, rate, encoder and why, in words */
      ffmpeg_command: string
    }
  }
  /** Ends the time that a stream lives on without viewers. Role: operator. */
  stop_streaming: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      stream_name: string
      /** RTSP; without credentials */
      stream_url: string
      status: "STOPPED"
      /** ISO 8601, UTC; when it last ran, or empty */
      start_time: string
      end_time: string
      /** seconds */
      duration: number
      /** true: a recording or another viewer still needs it */
      stream_continues: boolean
    }
  }
  /** Where viewers find a camera's stream, and whether it is there now. Role: viewer. */
  get_stream_url: {
    params: {
      device: CameraId
      /** also URLs that a player opens without a header (default false) */
      signed?: boolean
    }
    result: {
      device: CameraId
      stream_name: string
      /** RTSP; without credentials */
      stream_url: string
      /** where signed was asked for: each opens this camera's stream, and nothing else */
      signed_urls?: {
        rtsp: string
        hls: string
        /** WHEP */
        webrtc: string
        /** ISO 8601, UTC: 60 s from now, or the end of the token or key that asked; who watches by then stays */
        expires_at: string
      }
      /** whether a reader who comes now gets a picture */
      available: boolean
      active_consumers: number
      stream_status: "READY" | "NOT_READY" | "ERROR"
    }
  }
  /** How a stream is made: its FFmpeg, its path, what it sends, and why it does not. Role: viewer. */
  get_stream_status: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      stream_name: string
      status: "ACTIVE" | "INACTIVE" | "ERROR" | "STARTING" | "STOPPING"
      ready: boolean
      /** why it is not ACTIVE, or last was not */
      reason?: string
      /** how often FFmpeg was started again since the stream began */
      restarts: number
      ffmpeg_process: {
        running: boolean
        pid: number
        /** seconds */
        uptime: number
      }
      mediamtx_path: {
        exists: boolean
        ready: boolean
        readers: number
      }
      metrics: {
        bytes_sent: number
        frames_sent: number
        /** bits per second */
        bitrate: number
        fps: number
        /** milliseconds from the frame, as the camera's driver stamps it, to MediaMTX; absent: not known, as of cameras in the network */
        delay_ms?: number
      }
      codec: {
        profile: string
        level: string
        width: number
        height: number
        /** the bit stream's own SPS meets the configured profile */
        conformant: boolean
      }
      /** how the stream is made; absent while there is none */
      encoding?: {
        /** what the camera delivers, such as MJPG 640x480 at 30/s */
        input: string
        /** copy: the camera's own H.264 as it is; or what encodes: libx264, h264_vaapi, h264_v4l2m2m */
        encoder: string
        /** the machine's hardware encodes */
        hardware: boolean
        /** why this and nothing better, for people */
        reason: string
      }
      /** of a camera in the network: H.264 and Opus made of what it sends, while somebody watches that */
      transcode?: {
        /** its path: camera0_h264 */
        stream_name: string
        status: "ACTIVE" | "INACTIVE" | "ERROR" | "STARTING" | "STOPPING"
        /** why it is not ACTIVE, or last was not */
        reason?: string
        readers: number
        /** over what browsers do not play the camera's own stream: they are told the URL of this one */
        needed: Array<{
          protocol: "webrtc" | "hls"
          /** for people, such as: few browsers play H265 */
          why: string
        }>
        codec: {
          profile: string
          level: string
          width: number
          height: number
          /** the bit stream's own SPS meets the configured profile */
          conformant: boolean
        }
        /** how it is made; absent while nobody watches it */
        encoding?: {
          /** what the camera delivers, such as MJPG 640x480 at 30/s */
          input: string
          /** copy: the camera's own H.264 as it is; or what encodes: libx264, h264_vaapi, h264_v4l2m2m */
          encoder: string
          /** the machine's hardware encodes */
          hardware: boolean
          /** why this and nothing better, for people */
          reason: string
        }
      }
      /** ISO 8601, UTC; when it last ran, or empty */
      start_time: string
    }
  }
  /** The streams of all cameras that the user may see. Role: viewer. */
  get_streams: {
    params: Record<string, never>
    result: Array<{
      name: string
      /** what kind of camera it comes from: v4l2, synthetic, network */
      source: string
      ready: boolean
      readers: number
      bytes_sent: number
    }>
  }
  /** What a camera told last of where it is and where it looks (KLV), and how long ago. Role: viewer. */
  get_telemetry: {
    params: {
      device: CameraId
    }
    result: {
      device: CameraId
      /** when it came; ISO 8601, UTC */
      timestamp: string
      /** milliseconds since then */
      age_ms: number
      /** by the camera's clock: ISO 8601 with microseconds, UTC without its leap seconds */
      precision_time_stamp: string
      values: TelemetryValues
      security?: TelemetrySecurity
      /** tags of ST 0601 that are not among the values: of another kind, of a wrong length, without a value; 64 at most */
      unread_tags?: Array<number>
    }
  }
  /** What a camera told while it was recorded, of one recording and of one span of it. Role: viewer. */
  get_recording_telemetry: {
    params: {
      filename: FileName
      /** the first that counts; default 0 */
      from?: number
      /** the last that counts; default: the end */
      to?: number
      /** points at most; default 100 */
      limit?: number
    }
    result: {
      filename: FileName
      device: CameraId
      /** oldest first; empty: there are none */
      points: Array<TelemetryPoint>
      /** there are more: ask again from here */
      next?: number
    }
  }
  /** The recordings, newest first. Role: viewer. */
  list_recordings: {
    params: {
      limit?: number
      offset?: number
      device?: CameraId
    }
    result: {
      files: Array<{
        filename: string
        device: CameraId
        file_size: number
        /** ISO 8601, UTC */
        modified_time: string
        /** it is still written */
        recording?: true
        /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
        download_url: string
      }>
      total: number
      limit: number
      offset: number
    }
  }
  /** The snapshots, newest first. Role: viewer. */
  list_snapshots: {
    params: {
      limit?: number
      offset?: number
      device?: CameraId
    }
    result: {
      files: Array<{
        filename: string
        device: CameraId
        file_size: number
        /** ISO 8601, UTC */
        modified_time: string
        /** it is still written */
        recording?: true
        /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
        download_url: string
      }>
      total: number
      limit: number
      offset: number
    }
  }
  /** What is known of one recording. Role: viewer. */
  get_recording_info: {
    params: {
      filename: FileName
    }
    result: {
      filename: string
      file_size: number
      duration: number
      created_time: string
      /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
      download_url: string
      codec: string
      width: number
      height: number
    }
  }
  /** What is known of one snapshot. Role: viewer. */
  get_snapshot_info: {
    params: {
      filename: FileName
    }
    result: {
      filename: string
      file_size: number
      created_time: string
      /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
      download_url: string
      width: number
      height: number
    }
  }
  /** A URL that downloads one file without a header, for a short time. Role: viewer. */
  get_download_url: {
    params: {
      filename: FileName
    }
    result: {
      filename: string
      /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
      download_url: string
      /** ISO 8601, UTC; what has begun by then goes on */
      expires_at: string
    }
  }
  /** Deletes a recording that nobody writes or downloads. Role: operator. */
  delete_recording: {
    params: {
      filename: FileName
    }
    result: {
      filename: string
      deleted: boolean
      message: string
    }
  }
  /** Deletes a snapshot that nobody downloads. Role: operator. */
  delete_snapshot: {
    params: {
      filename: FileName
    }
    result: {
      filename: string
      deleted: boolean
      message: string
    }
  }
  /** When cameras were recorded, as finely as it is shown, and why not where it was not. Role: viewer. */
  get_recorded_spans: {
    params: {
      from: IsoTime
      to: IsoTime
      device?: CameraId
      /** the least gap that is told; a second at least, as files of one recording lie that far apart */
      resolution_seconds?: number
    }
    result: {
      from: string
      to: string
      /** spans no more than this apart are told as one: as asked; a second, and a 5000th of the time, at least */
      resolution_seconds: number
      cameras: Array<{
        device: CameraId
        /** oldest first */
        spans: Array<RecordedSpan>
      }>
    }
  }
  /** The recordings that have something of a time, oldest first: what to play. Role: viewer. */
  get_recorded_files: {
    params: {
      from: IsoTime
      to: IsoTime
      device: CameraId
      limit?: number
    }
    result: {
      device: CameraId
      /** oldest first; those after the last one: ask from its end */
      files: Array<{
        filename: FileName
        /** of the file's first picture; ISO 8601, UTC */
        start: string
        end: string
        /** it is still written */
        recording?: true
        file_size: number
        /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
        download_url: string
      }>
    }
  }
  /** Where parts and keyframes are in a recording (fmp4), for a player that fetches byte ranges. Role: viewer. */
  get_recording_parts: {
    params: {
      filename: FileName
      offset?: number
      limit?: number
    }
    result: {
      filename: FileName
      /** for MediaSource.addSourceBuffer */
      mime_type: string
      /** the file's first bytes, which a player needs before any part */
      init_bytes: number
      /** when second 0 of the file was; ISO 8601, UTC */
      start: string
      parts: Array<{
        offset: number
        length: number
        /** seconds in the file */
        start: number
        duration: number
        /** of its first keyframe: a player that begins here shows it */
        keyframe: number
      }>
      total: number
      /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
      download_url: string
    }
  }
  /** A URL that downloads all that was recorded of a camera in a time as one MP4, made as it is sent; with sound where all its files have the same. Role: viewer. */
  export_recording: {
    params: {
      from: IsoTime
      to: IsoTime
      device: CameraId
    }
    result: {
      device: CameraId
      from: string
      to: string
      /** seconds of it that were recorded, which is what comes */
      duration: number
      /** gives this file without a header, for 10 minutes; it ends with the token or key that asked for it */
      download_url: string
      /** ISO 8601, UTC; what has begun by then goes on */
      expires_at: string
    }
  }
  /** How much room there is, how much of it recordings and snapshots take, and when it will be full. Role: admin. */
  get_storage_info: {
    params: Record<string, never>
    result: {
      /** bytes of the file system that recordings are on, as df counts them */
      total_space: number
      used_space: number
      available_space: number
      /** used of what is used or available, rounded up to hundredths */
      usage_percentage: number
      /** bytes of all recordings */
      recordings_size: number
      snapshots_size: number
      low_space_warning: boolean
      /** days since the oldest recording began; absent: there is none */
      days_kept?: number
      /** what recordings and snapshots took lately; absent: nothing to tell it from */
      bytes_per_day?: number
      /** when only the reserve is left if it goes on like that; ISO 8601, UTC; absent: never */
      full_at?: string
      /** what is deleted by itself, for people */
      retention?: string
      /** files that are older are deleted by themselves; absent: at any age they stay */
      max_age_days?: number
      /** GB of 1024³ bytes, beyond which the oldest are deleted by themselves; absent: there is no such limit */
      max_size_gb?: number
    }
  }
  /** Says which files are deleted, and when. Role: admin. */
  set_retention_policy: {
    params: {
      /** which limit counts; manual: nothing is deleted but when cleanup_old_files is called */
      policy_type: "age" | "size" | "manual"
      /** false: nothing is deleted, not even then */
      enabled: boolean
      max_age_days?: number
      /** GB of 1024³ bytes */
      max_size_gb?: number
      /** for the files of this camera alone */
      device?: CameraId
    }
    result: {
      /** which limit counts; manual: nothing is deleted but when cleanup_old_files is called */
      policy_type: "age" | "size" | "manual"
      /** false: nothing is deleted, not even then */
      enabled: boolean
      max_age_days?: number
      /** GB of 1024³ bytes */
      max_size_gb?: number
      /** for the files of this camera alone */
      device?: CameraId
      message: string
    }
  }
  /** Deletes now what the retention policy would delete. Role: admin. */
  cleanup_old_files: {
    params: Record<string, never>
    result: {
      /** false: retention is switched off */
      cleanup_executed: boolean
      files_deleted: number
      /** bytes */
      space_freed: number
      message: string
    }
  }
  /** From now on tells this connection of these topics. Role: viewer. */
  subscribe_events: {
    params: {
      topics: Array<TopicPattern>
      filters?: {
        /** only events of this camera; those of no camera (system.*) come all the same */
        device?: CameraId
      }
    }
    result: {
      subscribed: boolean
      topics: Array<TopicPattern>
      filters: {
        /** only events of this camera; those of no camera (system.*) come all the same */
        device?: CameraId
      }
    }
  }
  /** Tells this connection of these topics, or of any, no more. Role: viewer. */
  unsubscribe_events: {
    params: {
      /** without it, all */
      topics?: Array<TopicPattern>
    }
    result: {
      unsubscribed: boolean
      topics: Array<TopicPattern>
    }
  }
  /** What this connection is told of, and how many others are told of what. Role: viewer. */
  get_subscription_stats: {
    params: Record<string, never>
    result: {
      global_stats: {
        /** a topic, for one camera or for all, of one client */
        total_subscriptions: number
        /** clients with a subscription */
        active_clients: number
        /** clients, by topic */
        topic_counts: Record<string, number>
      }
      /** what the caller is subscribed to */
      client_topics: Array<string>
      /** the session_id that authenticate gave the caller */
      client_id: string
    }
  }
  /** Looks for streams in the network: Skydio drones, RTSP servers, ONVIF cameras. Role: operator. */
  discover_external_streams: {
    params: {
      /** look for Skydio drones (default true) */
      skydio_enabled?: boolean
      /** look for other RTSP servers (default false) */
      generic_enabled?: boolean
      /** look for ONVIF cameras (default true) */
      onvif_enabled?: boolean
      /** look again where the last scan is recent (default false) */
      force_rescan?: boolean
      /** tell of those too that do not answer now (default false) */
      include_offline?: boolean
    }
    result: {
      discovered_streams: Array<ExternalStream>
      skydio_streams: Array<ExternalStream>
      generic_streams: Array<ExternalStream>
      onvif_streams: Array<ExternalStream>
      /** seconds since 1970 */
      scan_timestamp: number
      total_found: number
      /** what was in force in this scan */
      discovery_options: {
        skydio_enabled: boolean
        generic_enabled: boolean
        onvif_enabled: boolean
        force_rescan: boolean
        include_offline: boolean
      }
      /** such as 1.2s */
      scan_duration: string
      /** what could not be looked at, for people */
      errors: Array<string>
    }
  }
  /** Makes a stream from the network a camera. Role: operator. */
  add_external_stream: {
    params: {
      /** of a stream, or of an ONVIF camera's device service (http, https). Its user and password are for all that the camera is asked: ONVIF, the stream and pictures alike; those that a camera puts into its stream's address are not used */
      stream_url: StreamAddress
      /** how it is called, for people */
      stream_name: string
      stream_type?: "skydio_stanag4609" | "generic_rtsp" | "onvif"
    }
    result: {
      /** without credentials */
      stream_url: string
      stream_name: string
      stream_type: "skydio_stanag4609" | "generic_rtsp" | "onvif"
      device: CameraId
      status: "ADDED"
      /** it was added before: the camera took the user and the password of this URL, which are in the place of the former ones; name and type are as they were */
      credentials_replaced?: true
      /** ISO 8601, UTC */
      timestamp: string
    }
  }
  /** Forgets a stream from the network. Role: operator. */
  remove_external_stream: {
    params: {
      stream_url: StreamAddress
    }
    result: {
      /** without credentials */
      stream_url: string
      status: "REMOVED"
      /** ISO 8601, UTC */
      timestamp: string
    }
  }
  /** The streams from the network that are known. Role: viewer. */
  get_external_streams: {
    params: Record<string, never>
    result: {
      external_streams: Array<ExternalStream>
      skydio_streams: Array<ExternalStream>
      generic_streams: Array<ExternalStream>
      onvif_streams: Array<ExternalStream>
      total_count: number
      /** ISO 8601, UTC */
      timestamp: string
    }
  }
  /** Says how often streams are looked for in the network. Role: admin. */
  set_discovery_interval: {
    params: {
      /** seconds from the end of one scan to the next; 0: only when asked */
      scan_interval: 0 | number
    }
    result: {
      scan_interval: number
      status: "UPDATED"
      message: string
      /** ISO 8601, UTC */
      timestamp: string
    }
  }
  /** What this server is, and what it can do. Role: viewer. */
  get_server_info: {
    params: Record<string, never>
    result: {
      name: string
      version: string
      build_date: string
      runtime_version: string
      /** the same text as runtime_version, for existing clients */
      go_version: string
      /** ISO 8601, UTC, as the server's clock is set */
      server_time: string
      architecture: string
      capabilities: Array<string>
      supported_formats: Array<string>
      max_cameras: number
    }
  }
  /** Whether the cameras are ready to be used. Role: viewer. */
  get_system_status: {
    params: Record<string, never>
    result: {
      status: "starting" | "partial" | "ready"
      message: string
      available_cameras: Array<CameraId>
      discovery_active: boolean
    }
  }
  /** Whether the service is well, part by part. Role: admin. */
  get_status: {
    params: Record<string, never>
    result: ServiceStatus
  }
  /** Load of the machine and of the service, in numbers. Role: admin. */
  get_metrics: {
    params: Record<string, never>
    result: {
      /** ISO 8601, UTC */
      timestamp: string
      /** percent, 0 to 100 */
      cpu_usage: number
      /** percent, 0 to 100 */
      memory_usage: number
      /** percent, 0 to 100 */
      disk_usage: number
      /** fibers that live; the name is kept for existing clients */
      goroutines: number
      system_metrics: {
        /** percent, 0 to 100 */
        cpu_usage: number
        /** percent, 0 to 100 */
        memory_usage: number
        /** percent, 0 to 100 */
        disk_usage: number
        /** fibers that live; the name is kept for existing clients */
        goroutines: number
      }
      camera_metrics: {
        connected_cameras: number
        cameras: Record<string, never>
      }
      recording_metrics: {
        active_recordings: number
        recordings: Record<string, never>
      }
      stream_metrics: {
        active_streams: number
        /** active and idle: one for each camera */
        total_streams: number
        /** left out while MediaMTX does not say */
        total_viewers?: number
      }
    }
  }
  /** Who is connected, the newest first. Role: admin. */
  get_clients: {
    params: {
      limit?: number
      offset?: number
    }
    result: {
      clients: Array<{
        /** the IP address that it came from */
        address: string
        /** ISO 8601, UTC */
        connected_at: string
        /** left out until it has authenticated */
        session?: {
          /** the session_id that authenticate gave it */
          id: string
          user: string
          role: "viewer" | "operator" | "admin"
          cameras?: Array<string>
          /** ISO 8601, UTC; the past: it has to authenticate anew */
          expires_at: string
        }
        /** how many it has subscribed to */
        topics: number
      }>
      total: number
      limit: number
      offset: number
    }
  }
  /** Every key of the configuration as it is in force, and where it came from; secrets are hidden. Role: admin. */
  get_configuration: {
    params: Record<string, never>
    result: {
      settings: Array<{
        /** as the configuration file has it, such as server.port */
        key: string
        /** as a file has it; *** for a secret */
        value: unknown
        /** where the value came from */
        source: "default" | "file" | "environment"
        /** the variable that sets it over the file */
        environment: string
        /** when another value takes effect */
        changes: "at the start" | "while it runs"
        rule: string
        meaning: string
      }>
    }
  }
  /** This interface as an OpenRPC document. Role: viewer. */
  "rpc.discover": {
    params: Record<string, never>
    result: Record<string, never>
  }
}

/** What the server sends unasked: the params, by method. */
export interface Notifications {
  /** A camera is another than before; every authenticated client is told. */
  camera_status_update: Camera
  /** A recording is in another state; every authenticated client is told. */
  recording_status_update: RecordingStatusUpdate
  /** A part of the service is in another state; every authenticated client is told. */
  system_health_update: ServiceStatus
  /** Something happened that was subscribed to. */
  event: CameraEvent | RecordingEvent | SnapshotTakenEvent | TelemetryTopicEvent | HealthEvent | StartupEvent | DiscoveryProgressEvent | ShutdownEvent | NotificationsLostEvent
}

/** `error.data`, by `error.code`. */
export interface Errors {
  /** Invalid params */
  [-32602]: {
    reason?: string
    details?: string
    suggestion?: string
    param: string
    rule: string
    hint: string
  }
  /** Auth Failed */
  [-32001]: {
    reason: string
    details?: string
    suggestion?: string
  }
  /** Permission Denied */
  [-32002]: {
    reason?: string
    details?: string
    suggestion?: string
    required_role: string
    have_role: string
  }
  /** Not Found */
  [-32010]: {
    reason?: string
    details?: string
    suggestion?: string
    resource: "camera" | "control" | "stream" | "recording" | "snapshot" | "api_key" | "preset"
    id: string
  }
  /** Invalid State */
  [-32020]: {
    reason?: string
    details?: string
    suggestion?: string
    state: string
    allowed_states: Array<string>
  }
  /** Unsupported */
  [-32030]: {
    reason?: string
    details?: string
    suggestion?: string
    feature: string
  }
  /** Rate Limited */
  [-32040]: {
    reason?: string
    details?: string
    suggestion?: string
    retry_after_ms: number
  }
  /** Dependency Failed */
  [-32050]: {
    reason?: string
    details?: string
    suggestion?: string
    dependency: "mediamtx" | "ffmpeg" | "camera" | "storage"
    detail: string
    tiers_tried?: Array<{
      tier: 1 | 2 | 3
      outcome: string
      ms: number
    }>
  }
}
