import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Queue from "effect/Queue"
import { existsSync, writeFileSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { eventually } from "../../support/Eventually.ts"
import { clientOf, makeGround, ready, type Service, start, statusOf } from "../../support/Service.ts"
import { plug } from "../camera/UvcCamera.ts"
import { mjpg } from "../vm/Formats.ts"
import type { ClientOptions, Heard } from "./ClientThread.ts"
import { footprintOf } from "./Footprint.ts"
import { kernelEvents, monotonicSeconds } from "./KernelEvents.ts"

/*
 * Runs in the machine: from the kernel's event to the notification at a client, and what many plugs leave behind.
 *
 *   hotplug.ts PLUGS FILE
 *
 * A USB camera is plugged in, on a machine at rest, and pulled out at once, PLUGS times. FILE gets the figures as JSON, in
 * milliseconds: `plugged` and `unplugged` of each, `path` (from the first notification to MediaMTX's path), `fresh`
 * (snapshots that are not to be older than the call, of a camera that streams MJPEG), and what the service held before the
 * first plug (`started`), after the warm-up (`before`), and after all.
 */

const plugs = Number(process.argv[2])
const file = process.argv[3] ?? ""
/** Emulated, FFmpeg takes 3 s to start. */
const slowMachine = { STREAMS_START_TIMEOUT_SECONDS: "40", SNAPSHOTS_LIVE_TIMEOUT_SECONDS: "10" }
const patience = "60 seconds"
/** What is loaded or grows once, does it in the first ones. */
const warmUp = 20

const spec = { name: "Measured", serial: "MEASURED", formats: [mjpg(640, 480, 30, 15), mjpg(320, 240, 30, 15)] }

/** A client that hears when the camera has another status. */
const connect = Effect.fnUntraced(function* (service: Service) {
  const token = yield* service.token({ role: "admin", ttl: 3600 })
  const heard = yield* Queue.unbounded<Heard>()
  const workerData: ClientOptions = { url: service.url, token, name: spec.name }
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      new Worker(new URL("./ClientThread.ts", import.meta.url), { workerData }).on("message", (one: Heard) =>
        Queue.offerUnsafe(heard, one)
      )
    ),
    (worker) => Effect.promise(() => worker.terminate())
  )
  // it is authenticated
  yield* Queue.take(heard)
  /** when it was told that the camera has this status; what it was told before is passed over */
  return (status: string) =>
    Effect.map(Effect.repeat(Queue.take(heard), { until: (one) => one.status === status }), ({ at }) => at)
})

/** The call to the file: the camera's next frame, stored as it came. */
const freshSnapshots = Effect.fnUntraced(function* (service: Service) {
  const { call } = yield* clientOf(service, { role: "admin", ttl: 3600 })
  yield* plug({ ...spec, name: "Streaming", serial: "STREAMING" }, 0)
  const found = Effect.map(call.get_camera_list({}), ({ cameras }) => cameras.find(({ name }) => name === "Streaming"))
  const { device } = yield* eventually("the camera is listed", found, patience)
  yield* call.start_streaming({ device })
  const once = Effect.gen(function* () {
    const began = monotonicSeconds()
    yield* call.take_snapshot({ device, max_age_ms: 0 })
    return (monotonicSeconds() - began) * 1000
  })
  yield* Effect.replicateEffect(once, 10)
  return yield* Effect.replicateEffect(once, 50)
}, Effect.scoped)

/** udev has done with the last plug, and so has everybody else: cameras are plugged in on a machine at rest. */
const atRest = Effect.gen(function* () {
  while (existsSync("/run/udev/queue")) yield* Effect.sleep("10 millis")
  yield* Effect.sleep("200 millis")
})

const main = Effect.gen(function* () {
  const ground = yield* makeGround({ cameras: 0, isBuilt: true, settings: { CAMERAS_V4L2: "true", ...slowMachine } })
  const service = yield* start(ground, { within: patience })
  yield* ready(service, patience)
  yield* Effect.addFinalizer((exit) =>
    Effect.sync(() => {
      if (Exit.isFailure(exit)) process.stderr.write(service.stderr().slice(-6000))
    })
  )
  const told = yield* connect(service)
  const events = yield* kernelEvents
  // at rest: what work took is given back when there is none, at most every 10 seconds (src/self/Memory.ts)
  const footprint = Effect.andThen(
    Effect.sleep("45 seconds"),
    Effect.sync(() => footprintOf(service.pid, ground.processes()))
  )
  const plugged: Array<number> = []
  const unplugged: Array<number> = []
  let path = 0

  const round = Effect.fnUntraced(function* (port: number) {
    yield* atRest
    events.clear()
    const usb = yield* Scope.make()
    const [, heard] = yield* Effect.all([plug(spec, port).pipe(Scope.provide(usb)), told("CONNECTED")], {
      concurrency: "unbounded"
    })
    plugged.push((heard - (yield* events.first("add"))) * 1000)
    // from its first time on a camera keeps its path
    if (path === 0) {
      // ready: every camera has its path
      while ((yield* statusOf(`${service.health}/health/ready`)) !== 200) yield* Effect.yieldNow
      path = (monotonicSeconds() - heard) * 1000
    }
    const [, missed] = yield* Effect.all([Scope.close(usb, Exit.void), told("DISCONNECTED")], {
      concurrency: "unbounded"
    })
    unplugged.push((missed - (yield* events.first("remove"))) * 1000)
  }, Effect.timeout(patience))

  const started = yield* footprint
  for (let count = 0; count < warmUp; count++) yield* round(count % 8)
  const before = yield* footprint
  for (let count = 0; count < plugs; count++) yield* round(count % 8)
  const after = yield* footprint
  const fresh = yield* freshSnapshots(service).pipe(Effect.timeout("3 minutes"))
  const measured = {
    fresh,
    plugged: plugged.slice(warmUp),
    unplugged: unplugged.slice(warmUp),
    path,
    started,
    before,
    after
  }
  writeFileSync(file, JSON.stringify(measured))
}).pipe(Effect.scoped)

NodeRuntime.runMain(main.pipe(Effect.provide(Logger.layer([]))))
