import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"

export const ServerInfo = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  build_date: Schema.String,
  runtime_version: Schema.String,
  go_version: Schema.String.annotate({ description: "the same text as runtime_version, for existing clients" }),
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

/** The params of the notification `system_health_update`: the fields of `get_status`. */
export const SystemHealthUpdate = Schema.Struct({
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
}).annotate({ identifier: "SystemHealthUpdate" })
export type SystemHealthUpdate = typeof SystemHealthUpdate.Type
