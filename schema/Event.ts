import * as Schema from "effect/Schema"
import { Camera, CameraId } from "./Camera.ts"
import { RecordingStatusUpdate } from "./Recording.ts"

/** The params of the notification `event`. */
export const TopicEvent = Schema.Struct({
  topic: Schema.Literals(["system.shutdown"]),
  device: Schema.optionalKey(CameraId),
  timestamp: Schema.String.annotate({ description: "ISO 8601, UTC" }),
  data: Schema.Record(Schema.String, Schema.Json)
})
export type TopicEvent = typeof TopicEvent.Type

/** What the server sends unasked: JSON-RPC notifications, by method name, with the schema of their params. */
export const notifications = {
  camera_status_update: Camera,
  recording_status_update: RecordingStatusUpdate,
  event: TopicEvent
} as const

export type NotificationMethod = keyof typeof notifications
export type Notification = {
  [Method in NotificationMethod]: {
    readonly method: Method
    readonly params: (typeof notifications)[Method]["Type"]
  }
}[NotificationMethod]
