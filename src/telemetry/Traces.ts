import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"

/**
 * Sends spans to `telemetry.otlp_endpoint` (OTLP over HTTP). Without an endpoint nothing of
 * OpenTelemetry is loaded: a box that is not traced does not pay for it.
 */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const endpoint = (yield* Settings).boot.telemetry.otlp_endpoint
    if (endpoint === "") return Layer.empty
    const { tracesTo } = yield* Effect.promise(() => import("./Otlp.ts"))
    return tracesTo(endpoint)
  })
)
