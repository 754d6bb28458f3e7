import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { contentTypes, exposition, formatFor } from "../telemetry/Exposition.ts"
import { LocalHttp } from "./LocalHttp.ts"

/** Metrics for Prometheus (`/metrics` on the health port), or as OpenMetrics for who asks for that. */
export const layer = Layer.effectDiscard(
  Effect.flatMap(LocalHttp, ({ route }) =>
    Effect.flatMap(Effect.context<never>(), (context) =>
      route("GET", "/metrics", ({ accept }) =>
        Effect.sync(() => {
          const format = formatFor(accept)
          const body = exposition(Metric.snapshotUnsafe(context), format)
          return { status: 200, contentType: contentTypes[format], body }
        })
      )
    )
  )
)
