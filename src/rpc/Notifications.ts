import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Session } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import type { TopicEvent } from "../../schema/Event.ts"
import type { ServiceStatus } from "../../schema/System.ts"
import { Settings } from "../config/Settings.ts"
import { version } from "../config/Version.ts"
import type { CameraFact } from "../device/CameraFact.ts"
import { Devices } from "../device/Devices.ts"
import { Events, type Fact } from "../events/Events.ts"
import { includes } from "../events/Subscription.ts"
import { cameraTopics, recordingTopics } from "../events/Topics.ts"
import type { DiscoveryFact } from "../external/Discovery.ts"
import type { Told } from "../facts/Facts.ts"
import type { Moment } from "../ground/Time.ts"
import { isoTime, toSeconds } from "../ground/Time.ts"
import { Health, type SystemHealth } from "../health/Health.ts"
import type { RecordingFact } from "../recording/Recording.ts"
import { Recordings } from "../recording/Recordings.ts"
import type { SnapshotFact } from "../snapshot/Snapshots.ts"
import { filePath } from "../storage/Names.ts"
import type { TelemetryFact } from "../stream/CameraTelemetry.ts"
import { Feeds } from "../stream/Feeds.ts"
import { mayKnowAll, maySee } from "./Authorization.ts"
import { cameraViews, makeHostFor } from "./CameraView.ts"
import { Connections } from "./Connections.ts"
import type { Audience } from "./Posting.ts"
import { recordingUpdate } from "./RecordingUpdate.ts"

/** Tells clients what happens: some of it to all who may know of it, and events to those who subscribed to them. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { all, notify } = yield* Connections
    const { startedAt } = yield* Health
    const { boot } = yield* Settings
    const viewFor = cameraViews(yield* Feeds, yield* Recordings, boot)
    const hostFor = yield* makeHostFor
    const cameraTopic = cameraTopics((yield* Devices).list())
    const recordingTopic = recordingTopics()

    const tellEvent = (event: TopicEvent, may: Audience) =>
      notify(
        "event",
        event,
        (session, connection) =>
          includes(connection.subscription, event.topic, "device" in event ? event.device : undefined) &&
          may(session, connection)
      )

    /** To each client with the URLs that it can use: one text for all that came by the same host. */
    const tellCamera = Effect.fnUntraced(function* (fact: Told<CameraFact>) {
      const topic = cameraTopic(fact)
      for (const host of new Set(Array.from(all.values(), ({ authority }) => hostFor(authority)))) {
        const data = viewFor(host)(fact.device)
        const may: Audience = (session, { authority }) => maySee(session, fact.camera) && hostFor(authority) === host
        // its entry on the list is none any more
        if (fact._tag !== "CameraForgotten") yield* notify("camera_status_update", data, may)
        if (topic !== undefined) yield* tellEvent({ topic, ...of(fact), data }, may)
      }
    })

    const tellRecording = Effect.fnUntraced(function* (fact: Told<RecordingFact>) {
      const topic = recordingTopic(fact)
      const data = recordingUpdate(fact)
      yield* notify("recording_status_update", data, who(fact.camera))
      if (topic !== undefined) yield* tellEvent({ topic, ...of(fact), data }, who(fact.camera))
    })

    const tellSnapshot = (fact: Told<SnapshotFact>) => {
      const data = {
        device: fact.camera,
        filename: fact.filename,
        timestamp: isoTime(fact.captured.wall),
        age_ms: fact.ageMs,
        file_size: fact.bytes,
        file_path: filePath("snapshot", fact.filename),
        tier_name: fact.tier
      }
      return tellEvent({ topic: "snapshot.taken", ...of(fact), data }, who(fact.camera))
    }

    const tellTelemetry = ({ camera, heardAt, telemetry }: TelemetryFact) => {
      const data = { device: camera, ...telemetry }
      return tellEvent({ topic: "telemetry", device: camera, timestamp: isoTime(heardAt.wall), data }, who(camera))
    }

    const tellDiscovery = ({ at, found, looked, state, total }: Told<DiscoveryFact>) =>
      tellEvent(
        { topic: "discovery.progress", timestamp: isoTime(at.wall), data: { state, looked, total, found } },
        // who sees some cameras only is not told of what else is in the network
        ({ cameras }) => cameras === undefined
      )

    /** of the health, by those who hear no reasons */
    let lastSeen = ""
    const tellHealth = Effect.fnUntraced(function* ({ components, reasons, status }: SystemHealth, at: Moment) {
      const uptime = toSeconds(at.monotonic - startedAt.monotonic)
      const brief: ServiceStatus = { status, uptime, version, components }
      const seen = JSON.stringify([status, components])
      const isNews = seen !== lastSeen
      lastSeen = seen
      const versions = [
        [{ ...brief, reasons }, mayKnowAll],
        // who hears no reasons is not told that they are others
        [brief, (session: Session) => isNews && !mayKnowAll(session)]
      ] as const
      for (const [data, may] of versions) {
        yield* notify("system_health_update", data, may)
        yield* tellEvent({ topic: "system.health", timestamp: isoTime(at.wall), data }, may)
      }
    })

    const tell = (fact: Told<Fact>): Effect.Effect<void> => {
      switch (fact._tag) {
        case "CameraConnected":
        case "CameraDisconnected":
        case "CameraFaulty":
        case "CameraRecovered":
        case "CameraChanged":
        case "CameraForgotten":
          return tellCamera(fact)
        case "RecordingStarting":
        case "RecordingWriting":
        case "RecordingWaiting":
        case "RecordingTroubled":
        case "RecordingEnded":
        case "RecordingFailed":
          return tellRecording(fact)
        case "SnapshotTaken":
          return tellSnapshot(fact)
        case "TelemetryHeard":
          return tellTelemetry(fact)
        case "DiscoveryProgressed":
          return tellDiscovery(fact)
        case "HealthChanged":
          return tellHealth(fact.health, fact.at)
        case "HealthReady":
          return tellEvent({ topic: "system.startup", timestamp: isoTime(fact.at.wall), data: { version } }, () => true)
        case "StreamStarted":
        case "StreamChanged":
        case "StreamEnded":
        case "SpaceLevelChanged":
        case "DataFolderMoved":
        case "FilesDeleted":
          return Effect.void
      }
    }
    yield* (yield* Events).followFirst(tell)
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        // to all, whatever they subscribed to: their connections end with it
        notify("event", { topic: "system.shutdown", timestamp: isoTime(now), data: {} })
      )
    )
  })
)

const of = ({ at, camera }: Told<{ readonly camera: CameraId }>) => ({ device: camera, timestamp: isoTime(at.wall) })

const who =
  (camera: CameraId) =>
  (session: Session): boolean =>
    maySee(session, camera)
