import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Devices } from "../device/Devices.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { type Moment, moments, now as moment } from "../ground/Time.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { troubleOf } from "../process/MediaMtxTrouble.ts"
import { Streams } from "../stream/Streams.ts"
import { Recordings } from "../recording/Recordings.ts"
import { Paths } from "../stream/Paths.ts"
import { type ComponentState, type Part, partsSince } from "./Parts.ts"
import { makeRestlessness } from "./Restlessness.ts"
import { makeSight } from "./Sight.ts"

export interface Verdict {
  readonly ok: boolean
  /** what is not as it should be, for people; never a path or a secret */
  readonly reasons: ReadonlyArray<string>
}

export interface SystemHealth {
  /** UNHEALTHY: MediaMTX is of no use; DEGRADED: something else is wrong, or not there yet, or MediaMTX does not stay */
  readonly status: "HEALTHY" | "DEGRADED" | "UNHEALTHY"
  readonly components: Readonly<Record<"websocket_server" | "camera_monitor" | "mediamtx", ComponentState>>
  /** true once every camera known at the start has its path, and while MediaMTX runs and clients are served */
  readonly ready: Verdict
  /** why it is not HEALTHY: what it is not ready for, and what is wrong with each part */
  readonly reasons: ReadonlyArray<string>
  /** all of them, also those that are well */
  readonly parts: ReadonlyArray<Part>
}

/** Changed: the status is another than before, or a component's state, or a reason is. Ready: for the first time. */
export interface HealthFact {
  readonly _tag: "HealthChanged" | "HealthReady"
  /** as it is from then on */
  readonly health: SystemHealth
}

/** What tells of no change by itself is looked at so often. */
const lookEvery = "5 seconds"
/** Milliseconds after which it should have looked many times. */
const lostAfter = 30_000
/** MediaMTX makes the path of a camera that is plugged in within milliseconds; that it has none yet is no news. */
const pathTime = Duration.seconds(1)

const endsAgain = "MediaMTX comes up and ends, again and again"

/** What the service knows of its own state, from memory and at once: health probes ask often and wait for nothing. */
export class Health extends Context.Service<
  Health,
  {
    /**
     * false: only a restart helps. It answers once the event loop has turned, timers and all: where that does not turn no
     * answer comes. Nothing beside this process makes it false.
     */
    readonly live: Effect.Effect<Verdict>
    /** as it is at this moment: worked out anew at each call */
    readonly now: () => SystemHealth
    /** the part of it that costs next to nothing */
    readonly components: () => SystemHealth["components"]
    readonly startedAt: Moment
    /** for who serves clients: STARTING until it says so */
    readonly serving: (state: ComponentState) => Effect.Effect<void>
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
      const streams = yield* Streams
      const recordings = yield* Recordings
      const facts = yield* makeFacts<HealthFact>()
      const { seeAll, seeMediaMtx, seeMonitor } = yield* makeSight
      const clock = yield* moments
      const startedAt = yield* moment
      let server: ComponentState = "STARTING"
      /** as they were at the last look */
      let seen: ReadonlyArray<Part> = []
      /** monotonic milliseconds */
      let lookedAt = startedAt.monotonic

      const restless = makeRestlessness()
      const isRestless = () => restless(SubscriptionRef.getUnsafe(mediaMtx.state), clock())

      const components = (): SystemHealth["components"] => ({
        websocket_server: server,
        camera_monitor: seeMonitor().state,
        mediamtx: isRestless() ? "STARTING" : seeMediaMtx().state
      })

      const now = (): SystemHealth => {
        const states = components()
        const parts = partsSince(seen, [{ part: "websocket_server", state: server }, ...seeAll()], clock())
        const trouble = troubleOf(SubscriptionRef.getUnsafe(mediaMtx.state))
        const missing = devices.list().filter(({ id }) => !paths.exists(id))
        const unready = [
          ...(server === "RUNNING" ? [] : [`the WebSocket server is ${server.toLowerCase()}`]),
          ...(trouble === undefined ? [] : [trouble]),
          ...(devices.settled() ? [] : ["cameras are being looked for"]),
          ...(missing.length === 0 ? [] : [`${missing.map(({ id }) => id).join(", ")}: cannot be watched yet`])
        ]
        const reasons = [...unready, ...(isRestless() ? [endsAgain] : []), ...complaints(parts)]
        const working = reasons.length === 0 ? "HEALTHY" : "DEGRADED"
        return {
          status: states.mediamtx === "ERROR" ? "UNHEALTHY" : working,
          components: states,
          ready: { ok: unready.length === 0, reasons: unready },
          reasons,
          parts
        }
      }

      let last = now()
      seen = last.parts
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
      const look = Effect.suspend(() => {
        const health = now()
        seen = health.parts
        lookedAt = clock().monotonic
        return lacksOnlyPaths(health) && last.status === "HEALTHY"
          ? FiberHandle.run(later, Effect.delay(tell, pathTime), { onlyIfMissing: true })
          : Effect.andThen(FiberHandle.clear(later), tell)
      })
      const lookAtEach = (changes: Stream.Stream<unknown>) =>
        Effect.forkScoped(
          Stream.runForEach(changes, () => look),
          { startImmediately: true }
        )
      yield* devices.facts.follow(() => look)
      yield* streams.facts.follow(() => look)
      yield* recordings.facts.follow(() => look)
      yield* lookAtEach(SubscriptionRef.changes(mediaMtx.state))
      yield* lookAtEach(paths.changes)
      yield* Effect.forkScoped(Effect.andThen(devices.awaitSettled, look))
      yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(lookEvery)))

      return Health.of({
        live: Effect.map(Effect.sleep(0), () => {
          const millis = clock().monotonic - lookedAt
          if (millis < lostAfter) return { ok: true, reasons: [] }
          return { ok: false, reasons: [`the service has not looked at itself for ${Math.round(millis / 1000)} s`] }
        }),
        now,
        components,
        startedAt,
        serving: (state) =>
          Effect.suspend(() => {
            server = state
            return look
          }),
        facts
      })
    })
  )
}

/** What is wrong beside what it is not ready for. A stream that fails because of its camera says nothing new. */
const complaints = (parts: ReadonlyArray<Part>): ReadonlyArray<string> => {
  const faulty = new Set(
    parts.flatMap(({ device, part, state }) => (part === "camera" && state === "ERROR" ? [device] : []))
  )
  return parts.flatMap(({ device, error = "", part, state }) => {
    if (state !== "ERROR" || part === "mediamtx") return []
    if (part === "camera") return [`${device}: ${error.split(":")[0]}`]
    if (part === "stream" && faulty.has(device)) return []
    return [`${part}${device === undefined ? "" : ` of ${device}`}: ${error}`]
  })
}

/** Everything runs, and nothing is wrong but that cameras have no path yet. */
const lacksOnlyPaths = ({ components, ready, reasons, status }: SystemHealth): boolean =>
  status === "DEGRADED" &&
  components.mediamtx === "RUNNING" &&
  components.camera_monitor === "RUNNING" &&
  reasons.length === ready.reasons.length

/**
 * For those who are told. A stream that is tried again and again has nothing new to say where its camera is to blame, nor has
 * what another number stands in, nor each path of those that are being made.
 */
const isSame = (one: SystemHealth, other: SystemHealth): boolean =>
  one.status === other.status &&
  one.components.websocket_server === other.components.websocket_server &&
  one.components.camera_monitor === other.components.camera_monitor &&
  one.components.mediamtx === other.components.mediamtx &&
  wrongIn(one) === wrongIn(other)

/** Beside what it is not ready for; numbers of names, as in `camera0`, stay. */
const wrongIn = ({ ready, reasons }: SystemHealth): string =>
  reasons
    .slice(ready.reasons.length)
    .map((reason) => reason.replaceAll(/(?<![a-z\d])\d+(?:\.\d+)?/gi, "0"))
    .join()
