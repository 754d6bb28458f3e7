import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { reachableHere } from "../config/Hosts.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { Devices } from "../device/Devices.ts"
import { Loopback } from "../ground/Loopback.ts"
import type { ServiceManager } from "../ground/ServiceManager.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { Health } from "../health/Health.ts"
import { LocalHttp } from "../http/LocalHttp.ts"
import { Recordings } from "../recording/Recordings.ts"
import { Settings } from "../config/Settings.ts"

/** Who waits for us to be ready need not wait for a MediaMTX that an operator has yet to start. */
const readyTime = Duration.seconds(30)
/** One line of `systemctl status`. */
const longestStatus = 200

type Tell = ServiceManager["tell"]

/**
 * Tells the service manager how the service is, for as long as the scope lives: ready, once all its parts are; a line of
 * status, whenever it is another; and that it lives, each time that it has answered for its health on its own port. That
 * takes a turn of the event loop, and whatever else a probe needs.
 */
export const keepTold = Effect.fnUntraced(function* ({ tell, watchdog }: ServiceManager) {
  const { facts, now } = yield* Health
  const devices = yield* Devices
  const recordings = yield* Recordings
  const recording = new Set<CameraId>()
  const changed = yield* Queue.sliding<void>(1)
  const look = Queue.offer(changed, undefined)
  let isReady = false
  let last = ""
  /** as clients were told of it last: a camera that was plugged in a moment ago and has no path yet is no news */
  let health = now()

  const status = () => {
    const connected = devices.list().filter((device) => device.status !== "DISCONNECTED").length
    const well = `${count(connected, "camera")}, ${count(recording.size, "recording")}`
    return oneLine(health.status === "HEALTHY" ? well : `${well}; ${health.status}: ${health.reasons.join("; ")}`)
  }
  const update = Effect.suspend(() => {
    const line = status()
    const ready = !isReady && health.ready.ok
    if (line === last && !ready) return Effect.void
    last = line
    if (ready) isReady = true
    return tell(...(ready ? ["READY=1"] : []), `STATUS=${line}`)
  })

  yield* devices.facts.follow(() => look)
  yield* recordings.facts.follow((fact) => {
    if (fact._tag === "RecordingWriting") recording.add(fact.camera)
    else recording.delete(fact.camera)
    return look
  })
  yield* facts.follow((fact) => {
    health = fact.health
    return look
  })
  yield* update
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(changed), update)))
  const late = Effect.suspend(() => {
    if (isReady) return Effect.void
    isReady = true
    return tell("READY=1")
  })
  yield* Effect.forkScoped(Effect.delay(late, readyTime))
  if (watchdog !== undefined) yield* Effect.forkScoped(keepAlive(tell, watchdog))
})

/** Half the time is what sd_watchdog_enabled(3) advises; what does not answer within a quarter is asked again. */
const keepAlive = Effect.fnUntraced(function* (tell: Tell, watchdog: Duration.Duration) {
  const loopback = yield* Loopback
  const { address } = yield* LocalHttp
  const { host } = (yield* Settings).boot.health
  const client = yield* loopback.json({ host: reachableHere(host), port: address.port })
  const lives = client({ method: "GET", path: "/health/live" }).pipe(
    Effect.map(({ status }) => status === 200),
    Effect.timeoutOrElse({ duration: Duration.divideUnsafe(watchdog, 4), orElse: () => Effect.succeed(false) }),
    Effect.catch(({ detail }) =>
      Effect.as(Effect.logWarning("the watchdog is not told that we live", { detail }), false)
    )
  )
  return yield* Effect.flatMap(lives, (does) => (does ? tell("WATCHDOG=1") : Effect.void)).pipe(
    Effect.andThen(Effect.sleep(Duration.divideUnsafe(watchdog, 4))),
    Effect.forever
  )
})

/** Does this between `RELOADING=1` and `READY=1`, as systemd wants it. */
export const toldReload =
  (manager: ServiceManager | undefined) =>
  <A, E, R>(reload: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    manager === undefined
      ? reload
      : Effect.acquireUseRelease(
          Effect.flatMap(monotonicMillis, (millis) =>
            manager.tell("RELOADING=1", `MONOTONIC_USEC=${Math.round(millis * 1000)}`)
          ),
          () => reload,
          () => manager.tell("READY=1")
        )

const count = (many: number, word: string): string => `${many} ${word}${many === 1 ? "" : "s"}`
/** What goes to the manager is a list of lines. */
const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, " ").slice(0, longestStatus)
