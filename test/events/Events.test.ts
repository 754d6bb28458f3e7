import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { events } from "../../src/App.ts"
import { Devices } from "../../src/device/Devices.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { Events, type Fact } from "../../src/events/Events.ts"
import type { Told } from "../../src/facts/Facts.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { FakeMediaMtxApi } from "../support/FakeMediaMtxApi.ts"
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
      yield* untilTold(told, "HealthChanged HEALTHY")
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
      assert.deepStrictEqual(of(told, "Health").slice(0, 2), ["HealthChanged DEGRADED", "HealthChanged HEALTHY"])
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
    }).pipe(Effect.provide(events)),
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
    }).pipe(Effect.provide(events))
  )
})

describe("health", () => {
  onFakes(
    "is told when it changes: a camera without its path, a fault, MediaMTX gone and back",
    Effect.gen(function* () {
      const devices = yield* Devices
      const mediaMtx = yield* FakeMediaMtxApi
      const told = yield* listen
      const next = (count: number) =>
        until(
          `change ${count}`,
          Effect.sync(() => {
            const changes = told.flatMap((fact) => (fact._tag === "HealthChanged" ? [fact.health] : []))
            const health = changes.length === count ? changes[count - 1] : undefined
            return health && { status: health.status, mediamtx: health.components.mediamtx, reasons: health.reasons }
          })
        )
      const camera = yield* plugIn()
      const well = { status: "HEALTHY", mediamtx: "RUNNING", reasons: [] } as const
      assert.deepStrictEqual(yield* next(2), well)
      yield* devices.fault(camera, faultOf("FROZEN", "no frame for 2 s"))
      assert.deepStrictEqual(yield* next(3), { ...well, status: "DEGRADED", reasons: ["camera0: FROZEN"] })
      // no change: the status is what it was
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs"))
      yield* devices.recovered(camera)
      assert.deepStrictEqual(yield* next(4), well)
      yield* mediaMtx.setAvailable(false)
      const gone = yield* next(5)
      assert.deepInclude(gone, { status: "UNHEALTHY", mediamtx: "ERROR" })
      assert.include(gone.reasons, "MediaMTX is stopped")
      yield* mediaMtx.setAvailable(true)
      yield* until(
        "it is well",
        Effect.sync(() => told.map(show).at(-1) === "HealthChanged HEALTHY")
      )
    }).pipe(Effect.provide(events))
  )

  onFakes(
    "waits for the first look for cameras",
    Effect.gen(function* () {
      const devices = yield* Devices
      const looked = yield* devices.looking("one")
      yield* Effect.gen(function* () {
        const told = yield* listen
        yield* looked
        yield* untilTold(told, "HealthChanged HEALTHY")
        const [change] = told.flatMap((fact) => (fact._tag === "HealthChanged" ? [fact.health.components] : []))
        assert.strictEqual(change?.camera_monitor, "RUNNING")
      }).pipe(Effect.provide(events))
    })
  )
})
