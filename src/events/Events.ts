import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CameraFact } from "../device/CameraFact.ts"
import { Devices } from "../device/Devices.ts"
import { Discovery, type DiscoveryFact } from "../external/Discovery.ts"
import { type Followed, mergeFacts } from "../facts/Facts.ts"
import { Health, type HealthFact } from "../health/Health.ts"
import type { RecordingFact } from "../recording/Recording.ts"
import { Recordings } from "../recording/Recordings.ts"
import { type SnapshotFact, Snapshots } from "../snapshot/Snapshots.ts"
import { DiskGuard, type SpaceFact } from "../storage/DiskGuard.ts"
import { Retention, type RetentionFact } from "../storage/Retention.ts"
import { CameraTelemetry, type TelemetryFact } from "../stream/CameraTelemetry.ts"
import { type StreamFact, Streams } from "../stream/Streams.ts"

/** Whatever happens. */
export type Fact =
  | CameraFact
  | StreamFact
  | TelemetryFact
  | RecordingFact
  | SnapshotFact
  | SpaceFact
  | RetentionFact
  | DiscoveryFact
  | HealthFact

/** All that the nouns tell, as one feed in the order in which it happens. */
export class Events extends Context.Service<Events, Followed<Fact>>()("camera-service/events/Events") {
  static readonly layer = Layer.effect(
    Events,
    Effect.gen(function* () {
      const nouns = [
        yield* Devices,
        yield* Streams,
        yield* CameraTelemetry,
        yield* Recordings,
        yield* Snapshots,
        yield* DiskGuard,
        yield* Retention,
        yield* Discovery,
        yield* Health
      ]
      return Events.of(yield* mergeFacts<Fact>(nouns.map(({ facts }) => facts)))
    })
  )
}
