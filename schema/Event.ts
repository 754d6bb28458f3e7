import * as Schema from "effect/Schema"
import { Camera, CameraId } from "./Camera.ts"
import { RecordingStatusUpdate } from "./Recording.ts"
import { SnapshotEvent } from "./Snapshot.ts"
import { ServiceStatus } from "./System.ts"
import { TelemetryEvent } from "./Telemetry.ts"

const timestamp = Schema.String.annotate({ description: "when it happened; ISO 8601, UTC" })

const ofCamera = <const Names extends ReadonlyArray<string>, Data extends Schema.Top>(
  identifier: string,
  topics: Names,
  data: Data
) => Schema.Struct({ topic: Schema.Literals(topics), device: CameraId, timestamp, data }).annotate({ identifier })

const ofSystem = <const Name extends string, Data extends Schema.Top>(identifier: string, topic: Name, data: Data) =>
  Schema.Struct({ topic: Schema.Literal(topic), timestamp, data }).annotate({ identifier })

const cameraTopics = ["camera.connected", "camera.disconnected", "camera.status_change", "camera.removed"] as const
const recordingTopics = ["recording.start", "recording.stop", "recording.error"] as const

/** The params of the notification `event`. */
export const TopicEvent = Schema.Union([
  ofCamera("CameraEvent", cameraTopics, Camera),
  ofCamera("RecordingEvent", recordingTopics, RecordingStatusUpdate),
  ofCamera("SnapshotTakenEvent", ["snapshot.taken"], SnapshotEvent),
  ofCamera("TelemetryTopicEvent", ["telemetry"], TelemetryEvent),
  ofSystem("HealthEvent", "system.health", ServiceStatus),
  ofSystem("StartupEvent", "system.startup", Schema.Struct({ version: Schema.String })),
  ofSystem(
    "DiscoveryProgressEvent",
    "discovery.progress",
    Schema.Struct({
      state: Schema.Literals(["SCANNING", "DONE"]),
      looked: Schema.Int.annotate({ description: "ports of addresses that were looked at" }),
      total: Schema.Int.annotate({ description: "ports of addresses that are to be looked at" }),
      found: Schema.Int.annotate({ description: "streams" })
    })
  ),
  ofSystem("ShutdownEvent", "system.shutdown", Schema.Record(Schema.String, Schema.Json)),
  ofSystem(
    "NotificationsLostEvent",
    "system.notifications_lost",
    Schema.Struct({
      lost: Schema.Int.annotate({ description: "notifications that this client did not get: it read too slowly" })
    })
  )
])
export type TopicEvent = typeof TopicEvent.Type

export const topicNames = [
  ...cameraTopics,
  ...recordingTopics,
  "snapshot.taken",
  "telemetry",
  "discovery.progress",
  "system.health",
  "system.startup",
  "system.shutdown",
  "system.notifications_lost"
] as const satisfies ReadonlyArray<TopicEvent["topic"]>
export type TopicName = (typeof topicNames)[number]

/** What the server sends unasked: JSON-RPC notifications, by method name, with the schema of their params. */
export const notifications = {
  camera_status_update: Camera,
  recording_status_update: RecordingStatusUpdate,
  system_health_update: ServiceStatus,
  event: TopicEvent
} as const

export type NotificationMethod = keyof typeof notifications
export type Notification = {
  [Method in NotificationMethod]: {
    readonly method: Method
    readonly params: (typeof notifications)[Method]["Type"]
  }
}[NotificationMethod]

/** These come to everybody, once: existing clients subscribe to them all the same. */
const unaskedNames = ["camera_status_update", "recording_status_update", "system_health_update"] as const

/** What there is to subscribe to. */
export const subscribableNames = [...topicNames, ...unaskedNames]
export type SubscribableName = (typeof subscribableNames)[number]

/** Other names of topics. */
export const topicAliases = { "recording.started": "recording.start", "recording.stopped": "recording.stop" } as const

export const topicFamilies = ["camera.*", "recording.*", "snapshot.*", "discovery.*", "system.*"] as const

/** How a client names topics. */
export const TopicPattern = Schema.Literals([
  ...topicNames,
  ...topicFamilies,
  ...(Object.keys(topicAliases) as ReadonlyArray<keyof typeof topicAliases>),
  ...unaskedNames
]).annotate({
  identifier: "TopicPattern",
  description: `a topic, or all that begin alike: ${topicFamilies.join(", ")}`
})
export type TopicPattern = typeof TopicPattern.Type

const TopicPatterns = Schema.Array(TopicPattern).check(
  Schema.isBetweenLength(1, 100, { expected: "a list of 1 to 100 topics" })
)

const EventFilters = Schema.Struct({
  device: Schema.optionalKey(CameraId).annotateKey({
    description: "only events of this camera; those of no camera (system.*) come all the same"
  })
})

/** Adds to what the client is subscribed to; with a filter beside one without, the wider one counts. */
export const SubscribeEvents = { topics: TopicPatterns, filters: Schema.optionalKey(EventFilters) }

export const EventsSubscribed = Schema.Struct({
  subscribed: Schema.Boolean,
  topics: Schema.Array(TopicPattern),
  filters: EventFilters
})
export type EventsSubscribed = typeof EventsSubscribed.Type

export const UnsubscribeEvents = {
  topics: Schema.optionalKey(TopicPatterns).annotateKey({ description: "without it, all" })
}

export const EventsUnsubscribed = Schema.Struct({
  unsubscribed: Schema.Boolean,
  topics: Schema.Array(TopicPattern)
})
export type EventsUnsubscribed = typeof EventsUnsubscribed.Type

export const SubscriptionStats = Schema.Struct({
  global_stats: Schema.Struct({
    total_subscriptions: Schema.Int.annotate({ description: "a topic, for one camera or for all, of one client" }),
    active_clients: Schema.Int.annotate({ description: "clients with a subscription" }),
    topic_counts: Schema.Record(Schema.String, Schema.Int).annotate({ description: "clients, by topic" })
  }),
  client_topics: Schema.Array(Schema.String).annotate({ description: "what the caller is subscribed to" }),
  client_id: Schema.String.annotate({ description: "the session_id that authenticate gave the caller" })
})
export type SubscriptionStats = typeof SubscriptionStats.Type
