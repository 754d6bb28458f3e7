import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { version } from "../config/Version.ts"
import { millisSince, now } from "../ground/Time.ts"
import { json, LocalHttp } from "./LocalHttp.ts"
import { Readiness, type Verdict } from "./Readiness.ts"

/** Health for probes and people (`/health…` on the health port), answered from memory. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const local = yield* LocalHttp
    const readiness = yield* Readiness
    const startedAt = yield* now

    const summary = Effect.gen(function* () {
      return {
        status: yield* readiness.status,
        uptime: (yield* millisSince(startedAt)) / 1000,
        version,
        timestamp: DateTime.formatIso(yield* DateTime.now)
      }
    })

    /** 200 while `verdict` is good, else 503 with the reasons */
    const probe = (verdict: Effect.Effect<Verdict>, good: string, bad: string) =>
      Effect.map(verdict, ({ ok, reasons }) => json(ok ? 200 : 503, { status: ok ? good : bad, reasons }))

    yield* local.route("GET", "/health/live", () => probe(readiness.live, "alive", "dead"))
    yield* local.route("GET", "/health/ready", () => probe(readiness.ready, "ready", "not_ready"))
    yield* local.route("GET", "/health", () => Effect.map(summary, (found) => json(200, found)))
    yield* local.route("GET", "/health/detailed", () =>
      Effect.gen(function* () {
        const { rss, heapUsed } = process.memoryUsage()
        return json(200, {
          ...(yield* summary),
          ready: yield* readiness.ready,
          live: yield* readiness.live,
          components: yield* readiness.components,
          memory: { rss_bytes: rss, heap_used_bytes: heapUsed }
        })
      })
    )
  })
)
