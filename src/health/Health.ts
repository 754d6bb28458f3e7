import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Devices } from "../device/Devices.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { type Moment, now as moment } from "../ground/Time.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { Paths } from "../stream/Paths.ts"

/** As `get_status` names them. */
export type ComponentState = "RUNNING" | "STOPPED" | "ERROR" | "STARTING" | "STOPPING"

export interface Verdict {
  readonly ok: boolean
  /** what is not as it should be, for people; never a path or a secret */
  readonly reasons: ReadonlyArray<string>
}

export interface SystemHealth {
  readonly status: "HEALTHY" | "DEGRADED" | "UNHEALTHY"
  readonly components: Readonly<Record<"websocket_server" | "camera_monitor" | "mediamtx", ComponentState>>
  /** true once every camera known at the start has its path, and while MediaMTX runs */
  readonly ready: Verdict
  /** why it is not HEALTHY: what it is not ready for, and faults of cameras */
  readonly reasons: ReadonlyArray<string>
}

/** Changed: the status is another than before, or a component's state is. Ready: for the first time. */
export interface HealthFact {
  readonly _tag: "HealthChanged" | "HealthReady"
  /** as it is from then on */
  readonly health: SystemHealth
}

/** MediaMTX makes the path of a camera that is plugged in within milliseconds; that it has none yet is no news. */
const pathTime = Duration.seconds(1)

/** What the service knows of its own state, from memory and at once: health probes ask often and wait for nothing. */
export class Health extends Context.Service<
  Health,
  {
    /** false: only a restart helps */
    readonly live: Effect.Effect<Verdict>
    readonly now: () => SystemHealth
    readonly startedAt: Moment
    /** what changes from now on */
    readonly facts: Facts<HealthFact>
  }
>()("camera-service/health/Health") {
  static readonly layer = Layer.effect(
    Health,
    Effect.gen(function* () {
      const mediaMtx = yield* MediaMtx
      const devices = yield* Devices
      const paths = yield* Paths
      const facts = yield* makeFacts<HealthFact>()
      const startedAt = yield* moment

      const now = (): SystemHealth => {
        const media = SubscriptionRef.getUnsafe(mediaMtx.state)._tag
        const missing = devices.list().filter(({ id }) => !paths.exists(id))
        const unready = [
          ...(media === "Running" ? [] : [`MediaMTX is ${media.toLowerCase()}`]),
          ...(devices.settled() ? [] : ["cameras are being looked for"]),
          ...(missing.length === 0 ? [] : [`${missing.map(({ id }) => id).join(", ")}: no path yet`])
        ]
        const faults = devices.list().flatMap(({ fault, id }) => (fault === undefined ? [] : [`${id}: ${fault.kind}`]))
        const reasons = [...unready, ...faults]
        const working = reasons.length === 0 ? "HEALTHY" : "DEGRADED"
        return {
          status: media === "Stopped" ? "UNHEALTHY" : working,
          components: {
            websocket_server: "RUNNING",
            camera_monitor: devices.settled() ? "RUNNING" : "STARTING",
            mediamtx: mediaStates[media]
          },
          ready: { ok: unready.length === 0, reasons: unready },
          reasons
        }
      }

      let last = now()
      let wasReady = false
      const later = yield* FiberHandle.make()
      const tell = Effect.sync(() => {
        const health = now()
        if (!isSame(health, last)) {
          last = health
          facts.tell({ _tag: "HealthChanged", health })
        }
        if (health.ready.ok && !wasReady) {
          wasReady = true
          facts.tell({ _tag: "HealthReady", health })
        }
      })
      const look = Effect.suspend(() =>
        lacksOnlyPaths(now()) && last.status === "HEALTHY"
          ? FiberHandle.run(later, Effect.delay(tell, pathTime), { onlyIfMissing: true })
          : Effect.andThen(FiberHandle.clear(later), tell)
      )
      const lookAtEach = (changes: Stream.Stream<unknown>) =>
        Effect.forkScoped(
          Stream.runForEach(changes, () => look),
          { startImmediately: true }
        )
      yield* devices.facts.follow(() => look)
      yield* lookAtEach(SubscriptionRef.changes(mediaMtx.state))
      yield* lookAtEach(paths.changes)
      yield* Effect.forkScoped(Effect.andThen(devices.awaitSettled, look))

      return Health.of({
        // whoever gets this answer has seen the event loop turn
        live: Effect.succeed({ ok: true, reasons: [] }),
        now,
        startedAt,
        facts
      })
    })
  )
}

const mediaStates = { Starting: "STARTING", Running: "RUNNING", Stopped: "ERROR" } as const

/** Everything runs, and nothing is wrong but that cameras have no path yet. */
const lacksOnlyPaths = ({ components, ready, reasons, status }: SystemHealth): boolean =>
  status === "DEGRADED" &&
  components.mediamtx === "RUNNING" &&
  components.camera_monitor === "RUNNING" &&
  reasons.length === ready.reasons.length

const isSame = (one: SystemHealth, other: SystemHealth): boolean =>
  one.status === other.status &&
  one.components.camera_monitor === other.components.camera_monitor &&
  one.components.mediamtx === other.components.mediamtx
