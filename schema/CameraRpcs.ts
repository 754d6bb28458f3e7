import * as Schema from "effect/Schema"
import * as RpcGroup from "effect/rpc/RpcGroup"
import {
  ApiKey,
  ApiKeyCreated,
  ApiKeyList,
  Authenticated,
  CreateApiKey,
  CreateViewingKey,
  KeyId,
  TokenRefreshed,
  ViewingKeyCreated
} from "./Auth.ts"
import { CameraCapabilities, CameraDetails, CameraId, CameraList } from "./Camera.ts"
import { Control, ControlList, SetControl } from "./Control.ts"
import {
  AuthFailed,
  DependencyFailed,
  InvalidParams,
  InvalidState,
  NotFound,
  PermissionDenied,
  Unsupported
} from "./Errors.ts"
import { EventsSubscribed, EventsUnsubscribed, SubscribeEvents, SubscriptionStats, UnsubscribeEvents } from "./Event.ts"
import {
  AddExternalStream,
  DiscoverExternalStreams,
  DiscoveryIntervalSet,
  ExternalStreamAdded,
  ExternalStreamList,
  ExternalStreamRemoved,
  ExternalStreamsDiscovered,
  RemoveExternalStream,
  SetDiscoveryInterval
} from "./External.ts"
import { admin, open, operator, viewer } from "./Method.ts"
import { CameraGoing, CameraMoving, CameraStopped, GoToPreset, MoveCamera, PresetList } from "./Ptz.ts"
import { RecordingInfo, RecordingStarted, RecordingStopped, StartRecording } from "./Recording.ts"
import { SnapshotInfo, SnapshotTaken, TakeSnapshot } from "./Snapshot.ts"
import {
  CleanupDone,
  FileDeleted,
  FileList,
  FileName,
  FileUrl,
  ListFiles,
  paging,
  RetentionPolicySet,
  SetRetentionPolicy,
  StorageInfo
} from "./Storage.ts"
import { GetStreamUrl, StreamingStarted, StreamingStopped, StreamStatus, StreamSummary, StreamUrl } from "./Stream.ts"
import { GetRecordingTelemetry, LastTelemetry, RecordingTelemetry } from "./Telemetry.ts"
import {
  ClientList,
  Configuration,
  OpenRpcDocument,
  ServerInfo,
  ServiceMetrics,
  ServiceStatus,
  SystemStatus
} from "./System.ts"
import {
  ExportRecording,
  ExportUrl,
  GetRecordedFiles,
  GetRecordedSpans,
  GetRecordingParts,
  RecordedFiles,
  RecordedSpans,
  RecordingParts
} from "./Timeline.ts"

const device = { device: CameraId }
const filename = { filename: FileName }
const key_id = { key_id: KeyId }

/** The methods, by noun; each under its wire name. */
export const AuthRpcs = RpcGroup.make(
  open("ping", {}, Schema.Literal("pong")),
  open("authenticate", { auth_token: Schema.String }, Authenticated, AuthFailed),
  viewer("refresh_token", {}, TokenRefreshed, AuthFailed, InvalidState)
)

export const KeyRpcs = RpcGroup.make(
  admin("create_api_key", CreateApiKey, ApiKeyCreated, AuthFailed, InvalidParams, InvalidState, DependencyFailed),
  admin("list_api_keys", {}, ApiKeyList),
  admin("revoke_api_key", key_id, ApiKey, NotFound, DependencyFailed),
  admin("rotate_api_key", key_id, ApiKeyCreated, NotFound, InvalidState, DependencyFailed),
  viewer(
    "create_viewing_key",
    CreateViewingKey,
    ViewingKeyCreated,
    AuthFailed,
    NotFound,
    InvalidState,
    DependencyFailed
  )
)

export const DeviceRpcs = RpcGroup.make(
  viewer("get_camera_list", {}, CameraList),
  viewer(
    "get_camera_status",
    { ...device, debug: Schema.optionalKey(Schema.Boolean) },
    CameraDetails,
    NotFound,
    PermissionDenied
  ),
  viewer("get_camera_capabilities", device, CameraCapabilities, NotFound)
)

export const ControlRpcs = RpcGroup.make(
  viewer("get_camera_controls", device, ControlList, NotFound, InvalidState, DependencyFailed),
  operator("set_camera_control", SetControl, Control, NotFound, InvalidState, InvalidParams, DependencyFailed)
)

export const PtzRpcs = RpcGroup.make(
  operator("ptz_move", MoveCamera, CameraMoving, NotFound, InvalidParams, InvalidState, Unsupported, DependencyFailed),
  operator("ptz_stop", device, CameraStopped, NotFound, InvalidState, Unsupported, DependencyFailed),
  operator("ptz_presets", device, PresetList, NotFound, InvalidState, Unsupported, DependencyFailed),
  operator("ptz_goto", GoToPreset, CameraGoing, NotFound, InvalidState, Unsupported, DependencyFailed)
)

export const SnapshotRpcs = RpcGroup.make(
  operator("take_snapshot", TakeSnapshot, SnapshotTaken, NotFound, InvalidState, InvalidParams, DependencyFailed)
)

export const RecordingRpcs = RpcGroup.make(
  operator("start_recording", StartRecording, RecordingStarted, NotFound, InvalidState, DependencyFailed),
  operator("stop_recording", device, RecordingStopped, NotFound, InvalidState, DependencyFailed)
)

export const StreamRpcs = RpcGroup.make(
  operator("start_streaming", device, StreamingStarted, NotFound, InvalidState, DependencyFailed),
  operator("stop_streaming", device, StreamingStopped, NotFound, InvalidState),
  viewer("get_stream_url", GetStreamUrl, StreamUrl, NotFound, DependencyFailed),
  viewer("get_stream_status", device, StreamStatus, NotFound, DependencyFailed),
  viewer("get_streams", {}, Schema.Array(StreamSummary), DependencyFailed)
)

export const TelemetryRpcs = RpcGroup.make(
  viewer("get_telemetry", device, LastTelemetry, NotFound, InvalidState, Unsupported),
  viewer("get_recording_telemetry", GetRecordingTelemetry, RecordingTelemetry, NotFound, DependencyFailed)
)

export const FileRpcs = RpcGroup.make(
  viewer("list_recordings", ListFiles, FileList, DependencyFailed),
  viewer("list_snapshots", ListFiles, FileList, DependencyFailed),
  viewer("get_recording_info", filename, RecordingInfo, NotFound, DependencyFailed),
  viewer("get_snapshot_info", filename, SnapshotInfo, NotFound, DependencyFailed),
  viewer("get_download_url", filename, FileUrl, NotFound, DependencyFailed),
  operator("delete_recording", filename, FileDeleted, NotFound, InvalidState, DependencyFailed),
  operator("delete_snapshot", filename, FileDeleted, NotFound, InvalidState, DependencyFailed)
)

export const TimelineRpcs = RpcGroup.make(
  viewer("get_recorded_spans", GetRecordedSpans, RecordedSpans, InvalidParams, NotFound, DependencyFailed),
  viewer("get_recorded_files", GetRecordedFiles, RecordedFiles, InvalidParams, NotFound, DependencyFailed),
  viewer("get_recording_parts", GetRecordingParts, RecordingParts, NotFound, InvalidState, DependencyFailed),
  viewer("export_recording", ExportRecording, ExportUrl, InvalidParams, NotFound, DependencyFailed)
)

export const StorageRpcs = RpcGroup.make(
  admin("get_storage_info", {}, StorageInfo, DependencyFailed),
  admin("set_retention_policy", SetRetentionPolicy, RetentionPolicySet, NotFound, InvalidParams, DependencyFailed),
  admin("cleanup_old_files", {}, CleanupDone, DependencyFailed, PermissionDenied)
)

export const EventRpcs = RpcGroup.make(
  viewer("subscribe_events", SubscribeEvents, EventsSubscribed, NotFound, InvalidState),
  viewer("unsubscribe_events", UnsubscribeEvents, EventsUnsubscribed),
  viewer("get_subscription_stats", {}, SubscriptionStats)
)

export const SystemRpcs = RpcGroup.make(
  viewer("get_server_info", {}, ServerInfo),
  viewer("get_system_status", {}, SystemStatus),
  admin("get_status", {}, ServiceStatus),
  admin("get_metrics", {}, ServiceMetrics),
  admin("get_clients", paging, ClientList, PermissionDenied),
  admin("get_configuration", {}, Configuration, PermissionDenied),
  viewer("rpc.discover", {}, OpenRpcDocument)
)

export const ExternalRpcs = RpcGroup.make(
  operator(
    "discover_external_streams",
    DiscoverExternalStreams,
    ExternalStreamsDiscovered,
    PermissionDenied,
    InvalidState,
    Unsupported
  ),
  operator(
    "add_external_stream",
    AddExternalStream,
    ExternalStreamAdded,
    PermissionDenied,
    InvalidParams,
    InvalidState,
    Unsupported,
    DependencyFailed
  ),
  operator(
    "remove_external_stream",
    RemoveExternalStream,
    ExternalStreamRemoved,
    InvalidParams,
    NotFound,
    DependencyFailed
  ),
  viewer("get_external_streams", {}, ExternalStreamList),
  admin(
    "set_discovery_interval",
    SetDiscoveryInterval,
    DiscoveryIntervalSet,
    Unsupported,
    DependencyFailed,
    PermissionDenied
  )
)

/** The whole contract. */
export class CameraRpcs extends AuthRpcs.merge(
  KeyRpcs,
  DeviceRpcs,
  ControlRpcs,
  PtzRpcs,
  SnapshotRpcs,
  RecordingRpcs,
  StreamRpcs,
  TelemetryRpcs,
  FileRpcs,
  TimelineRpcs,
  StorageRpcs,
  EventRpcs,
  ExternalRpcs,
  SystemRpcs
) {}
