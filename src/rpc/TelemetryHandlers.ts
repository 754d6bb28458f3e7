import * as Effect from "effect/Effect"
import { CurrentSession, type Session } from "../../schema/Auth.ts"
import { TelemetryRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidState, Unsupported } from "../../schema/Errors.ts"
import { defaultPoints } from "../../schema/Telemetry.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { isoTime, millisSince } from "../ground/Time.ts"
import { RecordedTelemetry } from "../recording/RecordedTelemetry.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { CameraTelemetry } from "../stream/CameraTelemetry.ts"
import { Status } from "../stream/Status.ts"
import { maySee, visible, visibleFile } from "./Authorization.ts"

/** Cameras that send metadata are few; of many a client has no use. */
const mostNamed = 8

export const layer = TelemetryRpcs.toLayer(
  Effect.gen(function* () {
    const devices = yield* Devices
    const telemetry = yield* CameraTelemetry
    const recorded = yield* RecordedTelemetry
    const status = yield* Status
    const index = yield* FileIndex

    /** This camera sends none; who asks is told which ones do, of those that he may see. */
    const unsupported = (reason: string, session: Session): Unsupported => {
      const tells = ({ id, input }: Device) => telemetry.last(id) !== undefined || input.sends?.hasKlv === true
      const others = devices
        .list()
        .flatMap((device) => (maySee(session, device.id) && tells(device) ? [device.id] : []))
      const more = others.length > mostNamed ? ` and ${others.length - mostNamed} more` : ""
      const suggestion =
        others.length === 0
          ? "of the cameras that you may see none is known to send any: drones do, once they were added (add_external_stream)"
          : `these cameras send it: ${others.slice(0, mostNamed).join(", ")}${more}`
      return new Unsupported({ feature: "telemetry", reason, suggestion })
    }

    /** Why there is none. */
    const silence = ({ id: camera, input }: Device, session: Session): Unsupported | InvalidState => {
      if (!input.mayHaveKlv) return unsupported("only cameras in the network send metadata (KLV)", session)
      const { flaw, state } = telemetry.silence(camera)
      if (state === "NONE") return unsupported("there is no metadata (KLV) in what this camera sends", session)
      if (state === "IDLE" && input.sends?.hasKlv === false) {
        return unsupported("there was no metadata (KLV) in what this camera sent when it was asked last", session)
      }
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
        const found = yield* devices.get(yield* visible(device))
        const { id } = found
        const last = telemetry.last(id)
        if (last !== undefined) {
          const age_ms = Math.round(yield* millisSince(last.at))
          return { device: id, timestamp: isoTime(last.at.wall), age_ms, ...last.telemetry }
        }
        return yield* silence(found, yield* CurrentSession)
      }),

      get_recording_telemetry: Effect.fnUntraced(function* ({
        filename,
        from = 0,
        limit = defaultPoints,
        to = Number.POSITIVE_INFINITY
      }) {
        const { device } = yield* visibleFile(index, "recording", filename)
        const { next, points } = yield* recorded.points(filename, { from, to, limit })
        return { filename, device, points, ...(next === undefined ? {} : { next }) }
      })
    })
  })
)
