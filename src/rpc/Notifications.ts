import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { Recordings } from "../recording/Recordings.ts"
import { Sources } from "../stream/Sources.ts"
import { maySee } from "./Authorization.ts"
import { cameraViews } from "./CameraView.ts"
import { Connections } from "./Connections.ts"
import { recordingUpdate } from "./RecordingUpdate.ts"
import { isoTime } from "./Wire.ts"

/** Tells every authenticated client of the cameras and recordings that it may see, and of the end of the service. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const devices = yield* Devices
    const viewOf = cameraViews(yield* Sources, (yield* Settings).boot)
    const recordings = yield* Recordings
    const connections = yield* Connections

    yield* devices.followFirst((device) =>
      connections.notify("camera_status_update", viewOf(device), (session) => maySee(session, device.id))
    )
    yield* recordings.facts.followFirst((fact) =>
      connections.notify("recording_status_update", recordingUpdate(fact), (session) => maySee(session, fact.camera))
    )
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        connections.notify("event", { topic: "system.shutdown", timestamp: isoTime(now), data: {} })
      )
    )
  })
)
