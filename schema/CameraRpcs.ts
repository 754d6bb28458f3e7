import * as Schema from "effect/Schema"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import {
  ApiKey,
  ApiKeyCreated,
  ApiKeyList,
  Authenticated,
  Authorization,
  CreateApiKey,
  CreateViewingKey,
  KeyId,
  RequiredRole,
  type Role,
  TokenRefreshed,
  Validation,
  ViewingKeyCreated
} from "./Auth.ts"
import { CameraCapabilities, CameraDetails, CameraId, CameraList } from "./Camera.ts"
import { Control, ControlList, SetControl } from "./Control.ts"
import { AuthFailed, DependencyFailed, InvalidParams, InvalidState, NotFound, PermissionDenied } from "./Errors.ts"
import { EventsSubscribed, EventsUnsubscribed, SubscribeEvents, SubscriptionStats, UnsubscribeEvents } from "./Event.ts"
import { RecordingInfo, RecordingStarted, RecordingStopped, StartRecording } from "./Recording.ts"
import { SnapshotInfo, SnapshotTaken, TakeSnapshot } from "./Snapshot.ts"
import {
  CleanupDone,
  FileDeleted,
  FileList,
  FileName,
  ListFiles,
  RetentionPolicySet,
  SetRetentionPolicy,
  StorageInfo
} from "./Storage.ts"
import { StreamingStarted, StreamingStopped, StreamStatus, StreamSummary, StreamUrl } from "./Stream.ts"
import { ServerInfo, ServiceMetrics, ServiceStatus, SystemStatus } from "./System.ts"

/** What a method may fail with, beside what the middleware refuses. */
const MethodError = Schema.Union([
  AuthFailed,
  DependencyFailed,
  InvalidParams,
  InvalidState,
  NotFound,
  PermissionDenied
])

/** A method that anybody may call, authenticated or not. */
const open = <const Tag extends string, Fields extends Schema.Struct.Fields, Success extends Schema.Top>(
  tag: Tag,
  payload: Fields,
  success: Success
) =>
  Rpc.make(tag, { payload: Schema.Struct(payload), success, error: MethodError })
    .annotate(RequiredRole, undefined)
    .middleware(Validation)

/** A method that needs a session of at least this role. */
const secured =
  (role: Role) =>
  <const Tag extends string, Fields extends Schema.Struct.Fields, Success extends Schema.Top>(
    tag: Tag,
    payload: Fields,
    success: Success
  ) =>
    Rpc.make(tag, { payload: Schema.Struct(payload), success, error: MethodError })
      .annotate(RequiredRole, role)
      // the last one added is the outermost: rights are checked before params
      .middleware(Validation)
      .middleware(Authorization)

const viewer = secured("viewer")
const operator = secured("operator")
const admin = secured("admin")

const device = { device: CameraId }
const filename = { filename: FileName }
const key_id = { key_id: KeyId }

/** The methods, by noun; each under its wire name. */
export const AuthRpcs = RpcGroup.make(
  open("ping", {}, Schema.Literal("pong")),
  open("authenticate", { auth_token: Schema.String }, Authenticated),
  viewer("refresh_token", {}, TokenRefreshed)
)

export const KeyRpcs = RpcGroup.make(
  admin("create_api_key", CreateApiKey, ApiKeyCreated),
  admin("list_api_keys", {}, ApiKeyList),
  admin("revoke_api_key", key_id, ApiKey),
  admin("rotate_api_key", key_id, ApiKeyCreated),
  viewer("create_viewing_key", CreateViewingKey, ViewingKeyCreated)
)

export const DeviceRpcs = RpcGroup.make(
  viewer("get_camera_list", {}, CameraList),
  viewer("get_camera_status", { ...device, debug: Schema.optionalKey(Schema.Boolean) }, CameraDetails),
  viewer("get_camera_capabilities", device, CameraCapabilities)
)

export const ControlRpcs = RpcGroup.make(
  viewer("get_camera_controls", device, ControlList),
  operator("set_camera_control", SetControl, Control)
)

export const SnapshotRpcs = RpcGroup.make(operator("take_snapshot", TakeSnapshot, SnapshotTaken))

export const RecordingRpcs = RpcGroup.make(
  operator("start_recording", StartRecording, RecordingStarted),
  operator("stop_recording", device, RecordingStopped)
)

export const StreamRpcs = RpcGroup.make(
  operator("start_streaming", device, StreamingStarted),
  operator("stop_streaming", device, StreamingStopped),
  viewer("get_stream_url", device, StreamUrl),
  viewer("get_stream_status", device, StreamStatus),
  viewer("get_streams", {}, Schema.Array(StreamSummary))
)

export const FileRpcs = RpcGroup.make(
  viewer("list_recordings", ListFiles, FileList),
  viewer("list_snapshots", ListFiles, FileList),
  viewer("get_recording_info", filename, RecordingInfo),
  viewer("get_snapshot_info", filename, SnapshotInfo),
  operator("delete_recording", filename, FileDeleted),
  operator("delete_snapshot", filename, FileDeleted)
)

export const StorageRpcs = RpcGroup.make(
  admin("get_storage_info", {}, StorageInfo),
  admin("set_retention_policy", SetRetentionPolicy, RetentionPolicySet),
  admin("cleanup_old_files", {}, CleanupDone)
)

export const EventRpcs = RpcGroup.make(
  viewer("subscribe_events", SubscribeEvents, EventsSubscribed),
  viewer("unsubscribe_events", UnsubscribeEvents, EventsUnsubscribed),
  viewer("get_subscription_stats", {}, SubscriptionStats)
)

export const SystemRpcs = RpcGroup.make(
  viewer("get_server_info", {}, ServerInfo),
  viewer("get_system_status", {}, SystemStatus),
  admin("get_status", {}, ServiceStatus),
  admin("get_metrics", {}, ServiceMetrics)
)

/** The whole contract. */
export class CameraRpcs extends AuthRpcs.merge(
  KeyRpcs,
  DeviceRpcs,
  ControlRpcs,
  SnapshotRpcs,
  RecordingRpcs,
  StreamRpcs,
  FileRpcs,
  StorageRpcs,
  EventRpcs,
  SystemRpcs
) {}
