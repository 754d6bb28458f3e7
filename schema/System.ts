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

/** The contract as a document of OpenRPC (https://spec.open-rpc.org): `schema/generated/openrpc.json`. */
export const OpenRpcDocument = Schema.Record(Schema.String, Schema.Json)
export type OpenRpcDocument = typeof OpenRpcDocument.Type
