import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { version } from "../config/Version.ts"
import { millisSince, now } from "../ground/Time.ts"
import { Health, type Verdict } from "../health/Health.ts"
import { Machine } from "../ground/Machine.ts"
import { json, LocalHttp } from "./LocalHttp.ts"

/** Health for probes and people (`/health…` on the health port), answered from memory. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const local = yield* LocalHttp
    const machine = yield* Machine
    const { live, now: state } = yield* Health
    const startedAt = yield* now

    const summary = Effect.gen(function* () {
      return {
        status: state().status,
        uptime: (yield* millisSince(startedAt)) / 1000,
        version,
        timestamp: DateTime.formatIso(yield* DateTime.now)
      }
    })

    /** 200 while `verdict` is good, else 503 with the reasons */
    const probe = ({ ok, reasons }: Verdict, good: string, bad: string) =>
      json(ok ? 200 : 503, { status: ok ? good : bad, reasons })

    yield* local.route("GET", "/health/live", () => Effect.map(live, (verdict) => probe(verdict, "alive", "dead")))
    yield* local.route("GET", "/health/ready", () => Effect.sync(() => probe(state().ready, "ready", "not_ready")))
    yield* local.route("GET", "/health", () => Effect.map(summary, (found) => json(200, found)))
    yield* local.route("GET", "/health/detailed", () =>
      Effect.gen(function* () {
        const { components, ready } = state()
        const { heapUsed, resident } = machine.memory()
        return json(200, {
          ...(yield* summary),
          ready,
          live: yield* live,
          components,
          memory: { rss_bytes: resident, heap_used_bytes: heapUsed }
        })
      })
    )
  })
)
