import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { version } from "../config/Version.ts"
import { Machine } from "../ground/Machine.ts"
import { isoTime, millisSince, toSeconds } from "../ground/Time.ts"
import type { Result } from "../doctor/Check.ts"
import { RunningChecks } from "../doctor/RunningChecks.ts"
import { type Part, withoutPaths } from "../health/Parts.ts"
import { Health, type Verdict } from "../health/Health.ts"
import { ProgramMemory } from "../health/ProgramMemory.ts"
import { json, LocalHttp } from "./LocalHttp.ts"

/** Health for probes and people (`/health…` on the health port), answered from memory. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const local = yield* LocalHttp
    const machine = yield* Machine
    const { live, now: state, startedAt } = yield* Health
    const { latest } = yield* RunningChecks
    const programs = yield* ProgramMemory

    const summary = Effect.gen(function* () {
      const health = state()
      const brief = {
        status: health.status,
        uptime: toSeconds(yield* millisSince(startedAt)),
        version,
        timestamp: isoTime(yield* Clock.currentTimeMillis)
      }
      return { brief, health }
    })

    /** 200 while `verdict` is good, else 503 with the reasons */
    const probe = ({ ok, reasons }: Verdict, good: string, bad: string) =>
      json(ok ? 200 : 503, { status: ok ? good : bad, reasons })

    yield* local.route("GET", "/health/live", () => Effect.map(live, (verdict) => probe(verdict, "alive", "dead")))
    yield* local.route("GET", "/health/ready", () => Effect.sync(() => probe(state().ready, "ready", "not_ready")))
    yield* local.route("GET", "/health", () =>
      Effect.map(summary, ({ brief }) => json(brief.status === "UNHEALTHY" ? 503 : 200, brief))
    )
    // 200 whatever it says: it is there to be read
    yield* local.route("GET", "/health/detailed", () =>
      Effect.gen(function* () {
        const { brief, health } = yield* summary
        const { anonymous, heapUsed, resident } = machine.memory()
        const looked = yield* latest
        return json(200, {
          ...brief,
          reasons: health.reasons,
          ready: health.ready,
          live: yield* live,
          components: health.components,
          parts: health.parts.map(shown),
          ...(looked === undefined
            ? {}
            : { checked_at: isoTime(looked.at.wall), checks: looked.results.map(shownCheck) }),
          memory: {
            rss_bytes: resident,
            anonymous_bytes: anonymous,
            heap_used_bytes: heapUsed,
            mediamtx_rss_bytes: programs.mediaMtx(),
            ffmpeg_rss_bytes: { ...Object.fromEntries(programs.byStream()), other: programs.others() }
          }
        })
      })
    )
  })
)

const shown = ({ device, error, lastError, part, since, state }: Part) => ({
  part,
  ...(device === undefined ? {} : { device }),
  state,
  since: isoTime(since.wall),
  ...(error === undefined ? {} : { error }),
  ...(lastError === undefined ? {} : { last_error: { detail: lastError.detail, at: isoTime(lastError.at.wall) } })
})

/** What the paths are that a check tells of. */
const places: Readonly<Record<string, string>> = { disk: "the data folder", disk_sync: "the data folder" }

const shownCheck = ({ evidence, mend, name, severity }: Result) => ({
  name,
  severity,
  evidence: withoutPaths(evidence, places[name]),
  ...(mend === undefined ? {} : { mend: withoutPaths(mend, places[name]) })
})
