import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"
import { Events } from "../events/Events.ts"
import type { CameraFact } from "../device/CameraFact.ts"
import { Machine } from "../ground/Machine.ts"
import { Sources } from "../stream/Sources.ts"
import { maySee } from "./Authorization.ts"
import { cameraViews, makeHostFor } from "./CameraView.ts"
import { Connections } from "./Connections.ts"
import { recordingUpdate } from "./RecordingUpdate.ts"
import { isoTime } from "./Wire.ts"

/** Tells every authenticated client of the cameras and recordings that it may see, and of the end of the service. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const events = yield* Events
    const settings = yield* Settings
    const viewFor = cameraViews(yield* Sources, settings.boot)
    const hostFor = makeHostFor(settings, yield* Machine)
    const connections = yield* Connections

    /** To each client with the URLs that it can use: one text for all that came by the same host. */
    const tellCamera = ({ camera, device }: CameraFact) =>
      Effect.suspend(() => {
        const hosts = new Set(Array.from(connections.all.values(), ({ authority }) => hostFor(authority)))
        return Effect.forEach(
          hosts,
          (host) =>
            connections.notify(
              "camera_status_update",
              viewFor(host)(device),
              (session, { authority }) => maySee(session, camera) && hostFor(authority) === host
            ),
          { discard: true }
        )
      })

    yield* events.followFirst((fact) => {
      switch (fact._tag) {
        case "CameraConnected":
        case "CameraDisconnected":
        case "CameraFaulty":
        case "CameraRecovered":
        case "CameraChanged":
          return tellCamera(fact)
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
