import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"

/** Sends metrics to `telemetry.otlp_endpoint` too (OTLP over HTTP, `/v1/metrics` below it); loads nothing where there is none. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const endpoint = (yield* Settings).boot.telemetry.otlp_endpoint
    if (endpoint === "") return Layer.empty
    const { metricsTo } = yield* Effect.promise(() => import("./Otlp.ts"))
    return Layer.effectDiscard(Layer.build(metricsTo(endpoint)))
  })
)
