import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { TelemetryRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidState, NotFound, Unsupported } from "../../schema/Errors.ts"
import { defaultPoints } from "../../schema/Telemetry.ts"
import { Devices } from "../device/Devices.ts"
import { isoTime, millisSince } from "../ground/Time.ts"
import { RecordedTelemetry } from "../recording/RecordedTelemetry.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { CameraTelemetry } from "../stream/CameraTelemetry.ts"
import { Status } from "../stream/Status.ts"
import { maySee, visible } from "./Authorization.ts"

export const layer = TelemetryRpcs.toLayer(
  Effect.gen(function* () {
    const devices = yield* Devices
    const telemetry = yield* CameraTelemetry
    const recorded = yield* RecordedTelemetry
    const status = yield* Status
    const index = yield* FileIndex

    /** Why there is none. */
    const silence = (camera: CameraId): Unsupported | InvalidState => {
      const { flaw, state } = telemetry.silence(camera)
      if (state === "NONE") return unsupported("there is no metadata (KLV) in what this camera sends")
      const reason = flaw === undefined ? {} : { reason: `what it sent could not be read: ${flaw}` }
      if (state === "WAITING") {
        const suggestion = "ask again, or subscribe to telemetry"
        return new InvalidState({ state: "WAITING", allowed_states: ["ACTIVE"], suggestion, ...reason })
      }
      const suggestion = "it comes while the camera streams: call start_streaming, or record it"
      return new InvalidState({
        state: status.stateOf(camera).state,
        allowed_states: ["ACTIVE"],
        suggestion,
        ...reason
      })
    }

    return TelemetryRpcs.of({
      get_telemetry: Effect.fnUntraced(function* ({ device }) {
        const { id, input } = yield* devices.get(yield* visible(device))
        const last = telemetry.last(id)
        if (last !== undefined) {
          const age_ms = Math.round(yield* millisSince(last.at))
          return { device: id, timestamp: isoTime(last.at.wall), age_ms, ...last.telemetry }
        }
        return yield* "rtsp" in input ? silence(id) : unsupported("only cameras in the network send metadata (KLV)")
      }),

      get_recording_telemetry: Effect.fnUntraced(function* ({
        filename,
        from = 0,
        limit = defaultPoints,
        to = Number.POSITIVE_INFINITY
      }) {
        const file = yield* index.get("recording", filename)
        if (file === undefined || !maySee(yield* CurrentSession, file.device)) {
          return yield* new NotFound({ resource: "recording", id: filename })
        }
        const { next, points } = yield* recorded.points(filename, { from, to, limit })
        return { filename, device: file.device, points, ...(next === undefined ? {} : { next }) }
      })
    })
  })
)

const unsupported = (reason: string) => new Unsupported({ feature: "telemetry", reason })
