import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"
import { Events } from "../events/Events.ts"
import { Machine } from "../ground/Machine.ts"
import { Sources } from "../stream/Sources.ts"
import { maySee } from "./Authorization.ts"
import { cameraViews } from "./CameraView.ts"
import { Connections } from "./Connections.ts"
import { recordingUpdate } from "./RecordingUpdate.ts"
import { isoTime } from "./Wire.ts"

/** Tells every authenticated client of the cameras and recordings that it may see, and of the end of the service. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const events = yield* Events
    const viewOf = cameraViews(yield* Sources, (yield* Settings).boot, yield* Machine)
    const connections = yield* Connections

    yield* events.followFirst((fact) => {
      switch (fact._tag) {
        case "CameraConnected":
        case "CameraDisconnected":
        case "CameraFaulty":
        case "CameraRecovered":
        case "CameraChanged":
          return connections.notify("camera_status_update", viewOf(fact.device), (session) =>
            maySee(session, fact.camera)
          )
        case "RecordingStarting":
        case "RecordingWriting":
        case "RecordingWaiting":
        case "RecordingTroubled":
        case "RecordingEnded":
        case "RecordingFailed":
          return connections.notify("recording_status_update", recordingUpdate(fact), (session) =>
            maySee(session, fact.camera)
          )
        default:
          return Effect.void
      }
    })
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        connections.notify("event", { topic: "system.shutdown", timestamp: isoTime(now), data: {} })
      )
    )
  })
)
