import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Devices } from "../device/Devices.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { Paths } from "../stream/Paths.ts"

/** As `get_status` names them. */
export type ComponentState = "RUNNING" | "STOPPED" | "ERROR" | "STARTING" | "STOPPING"

export interface Verdict {
  readonly ok: boolean
  /** what is not as it should be, for people; never a path or a secret */
  readonly reasons: ReadonlyArray<string>
}

/** What the service knows of its own state, from memory and at once: health probes ask often and wait for nothing. */
export class Readiness extends Context.Service<
  Readiness,
  {
    /** false: only a restart helps */
    readonly live: Effect.Effect<Verdict>
    /** true once every camera known at the start has its path, and while MediaMTX runs */
    readonly ready: Effect.Effect<Verdict>
    readonly status: Effect.Effect<"HEALTHY" | "DEGRADED" | "UNHEALTHY">
    readonly components: Effect.Effect<Readonly<Record<string, ComponentState>>>
  }
>()("camera-service/http/Readiness") {
  static readonly layer = Layer.effect(
    Readiness,
    Effect.gen(function* () {
      const mediaMtx = yield* MediaMtx
      const devices = yield* Devices
      const paths = yield* Paths

      const media = Effect.map(SubscriptionRef.get(mediaMtx.state), ({ _tag }) => _tag)
      const ready = Effect.map(media, (state): Verdict => {
        const missing = devices.list().filter(({ id }) => !paths.exists(id))
        const reasons = [
          ...(state === "Running" ? [] : [`MediaMTX is ${state.toLowerCase()}`]),
          ...(devices.settled() ? [] : ["cameras are being looked for"]),
          ...(missing.length === 0 ? [] : [`${missing.map(({ id }) => id).join(", ")}: no path yet`])
        ]
        return { ok: reasons.length === 0, reasons }
      })

      return Readiness.of({
        // whoever gets this answer has seen the event loop turn
        live: Effect.succeed({ ok: true, reasons: [] }),
        ready,
        status: Effect.gen(function* () {
          if ((yield* media) === "Stopped") return "UNHEALTHY" as const
          const troubled = devices.list().some(({ status }) => status === "ERROR")
          return (yield* ready).ok && !troubled ? ("HEALTHY" as const) : ("DEGRADED" as const)
        }),
        components: Effect.map(media, (state) => ({
          websocket_server: "RUNNING" as const,
          camera_monitor: devices.settled() ? ("RUNNING" as const) : ("STARTING" as const),
          mediamtx: mediaStates[state]
        }))
      })
    })
  )
}

const mediaStates = { Starting: "STARTING", Running: "RUNNING", Stopped: "ERROR" } as const
