import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Devices } from "../../src/device/Devices.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { Events, type Fact } from "../../src/events/Events.ts"
import type { Told } from "../../src/facts/Facts.ts"
import { Health } from "../../src/health/Health.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { bringMediaMtx, onFakes, plugIn, takeMediaMtx } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { record, start, stop } from "../suites/recordings.ts"
import { take } from "../suites/snapshots.ts"
import { readyStream } from "../suites/streams.ts"

/** All that happens from now on. */
const listen = Effect.gen(function* () {
  const told: Array<Told<Fact>> = []
  yield* Effect.flatMap(Events, ({ follow }) => follow((fact) => Effect.sync(() => told.push(fact))))
  return told
})

const untilTold = (told: ReadonlyArray<Fact>, what: string) =>
  until(
    what,
    Effect.sync(() => told.some((fact) => show(fact) === what))
  )

/** A fact in a line, without what another run would have otherwise. */
const show = (fact: Fact): string => {
  switch (fact._tag) {
    case "HealthChanged":
    case "HealthReady":
      return `${fact._tag} ${fact.health.status}`
    case "StreamChanged":
      return `${fact._tag} ${fact.state._tag}`
    default:
      return fact._tag
  }
}

const of = (told: ReadonlyArray<Fact>, noun: string) =>
  told.map(show).filter((line, i, all) => line.startsWith(noun) && line !== all[i - 1])

describe("whoever follows all that happens", () => {
  onFakes(
    "hears of cameras, streams, recordings, snapshots and health, each in its order",
    Effect.gen(function* () {
      const devices = yield* Devices
      const told = yield* listen
      const plugged = yield* Scope.make()
      const camera = yield* Scope.provide(plugIn(), plugged)
      const needed = yield* Scope.make()
      yield* Scope.provide(readyStream(camera), needed)
      const recording = yield* start({ camera })
      yield* record(recording)
      const snapshot = yield* take({ camera })
      yield* stop(camera)
      yield* untilTold(told, "RecordingEnded")
      yield* Scope.close(needed, Exit.void)
      yield* untilTold(told, "StreamEnded")
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs"))
      yield* devices.recovered(camera)
      yield* Scope.close(plugged, Exit.void)
      yield* devices.forget(camera, "kept")
      yield* untilTold(told, "CameraForgotten")

      assert.deepStrictEqual(of(told, "Camera"), [
        "CameraConnected",
        "CameraFaulty",
        "CameraRecovered",
        "CameraDisconnected",
        "CameraForgotten"
      ])
      assert.deepStrictEqual(of(told, "Stream"), [
        "StreamStarted",
        "StreamChanged Ready",
        "StreamChanged Stopping",
        "StreamEnded"
      ])
      assert.deepStrictEqual(of(told, "Recording"), ["RecordingStarting", "RecordingWriting", "RecordingEnded"])
      assert.deepStrictEqual(of(told, "Health"), ["HealthChanged DEGRADED", "HealthChanged HEALTHY"])
      const taken = told.filter(({ _tag }) => _tag === "SnapshotTaken")
      const { ageMs, bytes, capture, filename, picture } = snapshot
      assert.strictEqual(taken.length, 1)
      assert.deepInclude(taken[0], { camera, filename, bytes, ageMs, tier: capture.name, captured: picture.captured })
      // the whole in the order in which it was told
      const times = told.map(({ at }) => at.monotonic)
      assert.deepStrictEqual(
        times,
        times.toSorted((a, b) => a - b)
      )
    }),
    { streams: { viewer_linger_seconds: 0, snapshot_linger_seconds: 0 } }
  )

  onFakes(
    "takes one fact after the other, whichever noun told it, and after who tells clients",
    Effect.gen(function* () {
      const { follow, followFirst } = yield* Events
      const heard: Array<string> = []
      const note = (who: string) => (fact: Fact) =>
        Effect.gen(function* () {
          if (fact._tag === "HealthChanged") return
          heard.push(`${who} begins ${fact._tag}`)
          yield* Effect.yieldNow
          heard.push(`${who} ends ${fact._tag}`)
        })
      yield* follow(note("another"))
      yield* followFirst(note("client"))
      const camera = yield* plugIn()
      yield* Effect.scoped(Effect.flatMap(Streams, ({ lease }) => lease(camera, "recording")))
      yield* until(
        "the end",
        Effect.sync(() => heard.includes("another ends StreamEnded"))
      )
      const facts = ["CameraConnected", "StreamStarted", "StreamChanged", "StreamEnded"]
      for (const who of ["client", "another"]) {
        assert.deepStrictEqual(
          heard.filter((line) => line.startsWith(who)),
          facts.flatMap((fact) => [`${who} begins ${fact}`, `${who} ends ${fact}`])
        )
      }
      assert.strictEqual(heard[0], "client begins CameraConnected")
    })
  )
})

const listenToHealth = Effect.gen(function* () {
  const health = yield* Health
  const told: Array<string> = []
  yield* health.facts.follow(({ _tag, health: { components, reasons, status } }) =>
    Effect.sync(() => _tag === "HealthChanged" && told.push([status, components.mediamtx, ...reasons].join(", ")))
  )
  const well = until(
    "it is well",
    Effect.sync(() => health.now().status === "HEALTHY")
  )
  return { told, well }
})

describe("health", () => {
  onFakes(
    "is told when it changes: a fault, MediaMTX gone and back; and not of a camera that is plugged in",
    Effect.gen(function* () {
      const devices = yield* Devices
      const { told, well } = yield* listenToHealth
      yield* well
      const camera = yield* plugIn()
      yield* until(
        "its path",
        Effect.map(Paths, (paths) => paths.exists(camera))
      )
      // longer than a path may take
      yield* asTimePasses(Effect.sleep("2 seconds"))
      assert.deepStrictEqual(told, [])
      yield* devices.fault(camera, faultOf("FROZEN", "no frame for 2 s"))
      // for another reason now, and then for the same in other numbers
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs (process 812)"))
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs (process 813)"))
      yield* devices.recovered(camera)
      yield* Effect.yieldNow
      assert.deepStrictEqual(told.splice(0), [
        "DEGRADED, RUNNING, camera0: FROZEN",
        "DEGRADED, RUNNING, camera0: BUSY",
        "HEALTHY, RUNNING"
      ])
      yield* takeMediaMtx
      yield* bringMediaMtx
      yield* well
      assert.deepStrictEqual(told, [
        "UNHEALTHY, ERROR, MediaMTX is stopped",
        "DEGRADED, STARTING, MediaMTX is starting, camera0: cannot be watched yet",
        "DEGRADED, RUNNING, camera0: cannot be watched yet",
        "HEALTHY, RUNNING"
      ])
    })
  )

  onFakes(
    "is told when the path of a camera does not come",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const { told, well } = yield* listenToHealth
      yield* well
      yield* mediaMtx.disturb({ answers: 500 })
      yield* plugIn()
      yield* until(
        "it is told",
        Effect.sync(() => told.length > 0)
      )
      yield* mediaMtx.disturb({ answers: undefined })
      yield* well
      assert.deepStrictEqual(told, ["DEGRADED, RUNNING, camera0: cannot be watched yet", "HEALTHY, RUNNING"])
    })
  )

  onFakes(
    "is ready once, when everything runs",
    Effect.gen(function* () {
      const ready: Array<string> = []
      yield* Effect.gen(function* () {
        const health = yield* Health
        yield* health.facts.follow(({ _tag, health: { status } }) =>
          Effect.sync(() => _tag === "HealthReady" && ready.push(status))
        )
        yield* health.serving("RUNNING")
        yield* bringMediaMtx
        yield* until(
          "it is ready",
          Effect.sync(() => ready.length > 0)
        )
        yield* takeMediaMtx
        yield* bringMediaMtx
        yield* until(
          "it is well again",
          Effect.sync(() => health.now().ready.ok)
        )
        yield* Effect.yieldNow
      }).pipe(Effect.provide(Layer.fresh(Health.layer)), (body) => Effect.andThen(takeMediaMtx, body))
      assert.deepStrictEqual(ready, ["HEALTHY"])
    })
  )

  onFakes(
    "waits for the first look for cameras",
    Effect.gen(function* () {
      const looked = yield* Effect.flatMap(Devices, ({ looking }) => looking("one"))
      yield* Effect.gen(function* () {
        const health = yield* Health
        assert.strictEqual(health.now().components.camera_monitor, "STARTING")
        const told: Array<string> = []
        yield* health.facts.follow(({ _tag, health: { components } }) =>
          Effect.sync(() => _tag === "HealthChanged" && told.push(components.camera_monitor))
        )
        yield* looked
        yield* until(
          "the change",
          Effect.sync(() => told.length > 0)
        )
        assert.deepStrictEqual(told, ["RUNNING"])
      }).pipe(Effect.provide(Layer.fresh(Health.layer)))
    })
  )
})
