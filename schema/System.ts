import * as Schema from "effect/Schema"
import { Role } from "./Auth.ts"
import { CameraId, CameraStatus, FaultKind } from "./Camera.ts"

export const ServerInfo = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  build_date: Schema.String,
  runtime_version: Schema.String,
  go_version: Schema.String.annotate({ description: "the same text as runtime_version, for existing clients" }),
  server_time: Schema.String.annotate({ description: "ISO 8601, UTC, as the server's clock is set" }),
  architecture: Schema.String,
  capabilities: Schema.Array(Schema.String),
  supported_formats: Schema.Array(Schema.String),
  max_cameras: Schema.Int
})
export type ServerInfo = typeof ServerInfo.Type

export const SystemStatus = Schema.Struct({
  status: Schema.Literals(["starting", "partial", "ready"]),
  message: Schema.String,
  available_cameras: Schema.Array(CameraId),
  discovery_active: Schema.Boolean
})
export type SystemStatus = typeof SystemStatus.Type

const ComponentState = Schema.Literals(["RUNNING", "STOPPED", "ERROR", "STARTING", "STOPPING"])

/** Also the params of the notification `system_health_update`. */
export const ServiceStatus = Schema.Struct({
  status: Schema.Literals(["HEALTHY", "DEGRADED", "UNHEALTHY"]),
  uptime: Schema.Finite.annotate({ description: "seconds that the service has run" }),
  version: Schema.String,
  components: Schema.Struct({
    websocket_server: ComponentState,
    camera_monitor: ComponentState,
    mediamtx: ComponentState
  }),
  reasons: Schema.optionalKey(Schema.Array(Schema.String)).annotateKey({
    description: "why it is not HEALTHY; for admins who may see every camera"
  })
}).annotate({ identifier: "ServiceStatus" })
export type ServiceStatus = typeof ServiceStatus.Type

const Percent = Schema.Finite.annotate({ description: "percent, 0 to 100" })

/** How much of the machine is used, by whatever runs on it. */
const usage = {
  cpu_usage: Percent,
  memory_usage: Percent,
  disk_usage: Percent,
  goroutines: Schema.Int.annotate({ description: "fibers that live; the name is kept for existing clients" })
}

export const ServiceMetrics = Schema.Struct({
  timestamp: Schema.String.annotate({ description: "ISO 8601, UTC" }),
  // flat too, for existing clients
  ...usage,
  system_metrics: Schema.Struct(usage),
  camera_metrics: Schema.Struct({
    connected_cameras: Schema.Int,
    cameras: Schema.Record(
      CameraId,
      Schema.Struct({
        status: CameraStatus,
        fault: Schema.optionalKey(FaultKind),
        stream: Schema.Literals(["ACTIVE", "INACTIVE", "ERROR", "STARTING", "STOPPING"]),
        fps: Schema.Finite,
        frames_sent: Schema.Int,
        restarts: Schema.Int.annotate({ description: "of FFmpeg, since the stream is needed" }),
        viewers: Schema.optionalKey(Schema.Int)
      }).annotate({ identifier: "CameraMetrics" })
    )
  }),
  recording_metrics: Schema.Struct({
    active_recordings: Schema.Int,
    recordings: Schema.Record(
      CameraId,
      Schema.Struct({
        state: ComponentState.annotate({ description: "RUNNING: it is written; ERROR: it is to be, and cannot" }),
        since: Schema.String.annotate({ description: "ISO 8601, UTC" })
      }).annotate({ identifier: "RecordingMetrics" })
    )
  }),
  stream_metrics: Schema.Struct({
    active_streams: Schema.Int,
    total_streams: Schema.Int.annotate({ description: "active and idle: one for each camera" }),
    total_viewers: Schema.optionalKey(Schema.Int).annotateKey({ description: "left out while MediaMTX does not say" })
  })
})
export type ServiceMetrics = typeof ServiceMetrics.Type

export const ClientList = Schema.Struct({
  clients: Schema.Array(
    Schema.Struct({
      address: Schema.String.annotate({ description: "the IP address that it came from" }),
      connected_at: Schema.String.annotate({ description: "ISO 8601, UTC" }),
      session: Schema.optionalKey(
        Schema.Struct({
          id: Schema.String.annotate({ description: "the session_id that authenticate gave it" }),
          user: Schema.String,
          role: Role,
          cameras: Schema.optionalKey(Schema.Array(Schema.String)),
          expires_at: Schema.String.annotate({ description: "ISO 8601, UTC; the past: it has to authenticate anew" })
        })
      ).annotateKey({ description: "left out until it has authenticated" }),
      topics: Schema.Int.annotate({ description: "how many it has subscribed to" })
    })
  ),
  total: Schema.Int,
  limit: Schema.Int,
  offset: Schema.Int
})
export type ClientList = typeof ClientList.Type

export const Configuration = Schema.Struct({
  settings: Schema.Array(
    Schema.Struct({
      key: Schema.String.annotate({ description: "as the configuration file has it, such as server.port" }),
      value: Schema.Json.annotate({ description: "as a file has it; *** for a secret" }),
      source: Schema.Literals(["default", "file", "environment"]).annotate({
        description: "where the value came from"
      }),
      environment: Schema.String.annotate({ description: "the variable that sets it over the file" }),
      changes: Schema.Literals(["at the start", "while it runs"]).annotate({
        description: "when another value takes effect"
      }),
      rule: Schema.String,
      meaning: Schema.String
    })
  )
})
export type Configuration = typeof Configuration.Type

/** The contract as a document of OpenRPC (https://spec.open-rpc.org): `schema/generated/openrpc.json`. */
export const OpenRpcDocument = Schema.Record(Schema.String, Schema.Json)
export type OpenRpcDocument = typeof OpenRpcDocument.Type
