import * as Layer from "effect/Layer"
import { MachineUsage } from "../self/MachineUsage.ts"
import * as AuthHandlers from "./AuthHandlers.ts"
import * as ControlHandlers from "./ControlHandlers.ts"
import * as DeviceHandlers from "./DeviceHandlers.ts"
import * as EventHandlers from "./EventHandlers.ts"
import * as ExternalHandlers from "./ExternalHandlers.ts"
import * as FileHandlers from "./FileHandlers.ts"
import * as KeyHandlers from "./KeyHandlers.ts"
import * as PtzHandlers from "./PtzHandlers.ts"
import * as RecordingHandlers from "./RecordingHandlers.ts"
import * as SnapshotHandlers from "./SnapshotHandlers.ts"
import * as StorageHandlers from "./StorageHandlers.ts"
import * as StreamHandlers from "./StreamHandlers.ts"
import * as SystemHandlers from "./SystemHandlers.ts"
import * as TelemetryHandlers from "./TelemetryHandlers.ts"
import * as TimelineHandlers from "./TimelineHandlers.ts"

/** What each method of the contract does. */
export const layer = Layer.mergeAll(
  AuthHandlers.layer,
  KeyHandlers.layer,
  DeviceHandlers.layer,
  ControlHandlers.layer,
  PtzHandlers.layer,
  SnapshotHandlers.layer,
  RecordingHandlers.layer,
  StreamHandlers.layer,
  TelemetryHandlers.layer,
  FileHandlers.layer,
  TimelineHandlers.layer,
  StorageHandlers.layer,
  EventHandlers.layer,
  ExternalHandlers.layer,
  SystemHandlers.layer.pipe(Layer.provide(MachineUsage.layer))
)
