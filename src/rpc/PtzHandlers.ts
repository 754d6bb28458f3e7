import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import { PtzRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidParams } from "../../schema/Errors.ts"
import type { Mover } from "../external/Drive.ts"
import { Ptz } from "../external/Ptz.ts"
import { visible } from "./Authorization.ts"
import { Connections } from "./Connections.ts"

export const layer = PtzRpcs.toLayer(
  Effect.gen(function* () {
    const ptz = yield* Ptz
    const connections = yield* Connections
    const moverOf = (clientId: number) =>
      Effect.map(CurrentSession, ({ role, userId }): Mover => ({
        id: String(clientId),
        user: userId,
        role,
        gone: connections.gone(clientId)
      }))

    return PtzRpcs.of({
      ptz_move: Effect.fnUntraced(function* (
        { device, pan = 0, tilt = 0, timeout_ms = defaultTimeout, zoom = 0 },
        { client }
      ) {
        const camera = yield* visible(device)
        if (pan === 0 && tilt === 0 && zoom === 0) return yield* nowhere()
        yield* ptz.move(camera, { pan, tilt, zoom }, timeout_ms, yield* moverOf(client.id))
        return { device, status: "MOVING" as const, pan, tilt, zoom, timeout_ms }
      }),

      ptz_stop: Effect.fnUntraced(function* ({ device }) {
        const { role, userId } = yield* CurrentSession
        yield* ptz.stop(yield* visible(device))
        const who = { "camera.id": device, user: userId, role }
        yield* Effect.annotateLogs(Effect.logInfo("a camera was told to stop"), who)
        return { device, status: "STOPPED" as const }
      }),

      ptz_presets: Effect.fnUntraced(function* ({ device }) {
        return { device, presets: yield* ptz.presets(yield* visible(device)) }
      }),

      ptz_goto: Effect.fnUntraced(function* ({ device, preset }, { client }) {
        yield* ptz.goTo(yield* visible(device), preset, yield* moverOf(client.id))
        return { device, status: "MOVING" as const, preset }
      })
    })
  })
)

/** Milliseconds. */
const defaultTimeout = 1000

const nowhere = () =>
  new InvalidParams({
    param: "pan",
    rule: "pan, tilt or zoom is another number than 0",
    hint: "ptz_stop stops a camera"
  })
