import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { faultOf } from "../../src/device/Fault.ts"
import { Devices } from "../../src/device/Devices.ts"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { Health, type SystemHealth } from "../../src/health/Health.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { Streams } from "../../src/stream/Streams.ts"
import type { Temper } from "../../testing/Programs.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { asTimePasses, record, start } from "../suites/recordings.ts"
import { readyStream } from "../suites/streams.ts"
import { bringMediaMtx, disturb, onFakes, plugIn, publishing, takeMediaMtx } from "../support/App.ts"
import { until } from "../support/Ground.ts"

const health = Effect.map(Health, ({ now }) => now())

const untilHealth = (what: string, is: (now: SystemHealth) => boolean) =>
  until(
    what,
    Effect.map(health, (now) => is(now) && now)
  )

const well = untilHealth("all is well", ({ status }) => status === "HEALTHY")

/** SIGSTOP and SIGCONT. */
const temperMediaMtx = (temper: Temper) =>
  Effect.flatMap(TestGround, ({ programs }) =>
    Effect.forEach(
      SubscriptionRef.getUnsafe(programs.processes).filter(({ program }) => program === "mediamtx"),
      (one) => SubscriptionRef.set(one.temper, temper),
      { discard: true }
    )
  )

const partOf = ({ parts }: SystemHealth, name: string) => parts.find(({ part }) => part === name)

describe("the service", () => {
  onFakes(
    "is alive as long as its event loop turns and it looks at itself, whatever else is wrong",
    Effect.gen(function* () {
      yield* well
      const { live } = yield* Health
      yield* takeMediaMtx
      yield* TestClock.adjust("40 seconds")
      assert.deepStrictEqual(yield* live, { ok: true, reasons: [] })
      // no timer fires any more: no answer comes
      const clock = yield* Clock.Clock
      const stuck = { ...clock, sleep: () => Effect.never }
      const asked = yield* Effect.forkScoped(Effect.provideService(live, Clock.Clock, stuck), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(asked.pollUnsafe())
      // what looks has broken
      const devices = yield* Devices
      const { list } = devices
      Object.assign(devices, { list: () => assert.fail("a defect") })
      yield* TestClock.adjust("40 seconds")
      const { ok, reasons } = yield* live
      Object.assign(devices, { list })
      assert.isFalse(ok)
      assert.match(reasons.join(), /^the service has not looked at itself for [34]\d s$/)
    })
  )
})

describe("a MediaMTX that is frozen", () => {
  onFakes(
    "is noticed within 3 s, told once, and its answers again as soon as they come",
    Effect.gen(function* () {
      yield* well
      const { facts } = yield* Health
      const told: Array<string> = []
      yield* facts.follow(({ health: { components, reasons, status } }) =>
        Effect.sync(() => told.push([status, components.mediamtx, ...reasons].join(", ")))
      )
      yield* temperMediaMtx("stopped")
      const frozenAt = yield* monotonicMillis
      const { ready, status } = yield* untilHealth("it is noticed", (now) => !now.ready.ok)
      assert.isBelow((yield* monotonicMillis) - frozenAt, 3000)
      assert.deepStrictEqual([status, ready.reasons], ["UNHEALTHY", ["MediaMTX does not answer"]])
      yield* TestClock.adjust("2 seconds")
      yield* temperMediaMtx("obedient")
      const { parts } = yield* well
      assert.deepStrictEqual(told, ["UNHEALTHY, ERROR, MediaMTX does not answer", "HEALTHY, RUNNING"])
      assert.strictEqual(parts.find(({ part }) => part === "mediamtx")?.lastError?.detail, "MediaMTX does not answer")
    })
  )

  onFakes(
    "is started again when it stays so",
    Effect.gen(function* () {
      yield* well
      const { programs } = yield* TestGround
      const running = () =>
        SubscriptionRef.getUnsafe(programs.processes).filter(
          ({ isRunning, program }) => program === "mediamtx" && isRunning()
        )
      const [first] = running()
      yield* temperMediaMtx("stopped")
      yield* TestClock.adjust("20 seconds")
      yield* well
      assert.notStrictEqual(running()[0]?.pid, first?.pid)
    })
  )

  for (const [what, go] of [
    ["is frozen", temperMediaMtx("stopped")],
    ["is gone and does not come back", takeMediaMtx]
  ] as const) {
    onFakes(
      `${what}: who asks for a stream is told within a second that it is MediaMTX`,
      Effect.gen(function* () {
        const streams = yield* Streams
        const camera = yield* plugIn()
        yield* well
        yield* go
        const stream = yield* streams.lease(camera, "viewer")
        const asked = yield* monotonicMillis
        const error = yield* asTimePasses(Effect.flip(streams.awaitReady(stream)))
        assert.isAtMost((yield* monotonicMillis) - asked, 1000)
        assert.deepInclude(error, { _tag: "DependencyFailed", dependency: "mediamtx" })
        yield* bringMediaMtx
        yield* temperMediaMtx("obedient")
      })
    )
  }

  onFakes(
    "keeps nobody waiting for an FFmpeg that hangs on it",
    Effect.gen(function* () {
      yield* plugIn()
      yield* well
      const client = yield* connectAs("operator")
      yield* temperMediaMtx("stopped")
      const asked = yield* monotonicMillis
      const call = client.call({ jsonrpc: "2.0", id: 1, method: "start_streaming", params: { device: "camera0" } })
      const answered = yield* Effect.forkChild(call, { startImmediately: true })
      const [ffmpeg] = yield* until(
        "FFmpeg",
        Effect.map(publishing, (all) => all.length > 0 && all)
      )
      if (ffmpeg !== undefined) yield* SubscriptionRef.set(ffmpeg.temper, "stubborn")
      const reply = yield* asTimePasses(Fiber.join(answered))
      assert.isAtMost((yield* monotonicMillis) - asked, 1000)
      const { error } = reply as { readonly error: { readonly data: object } }
      assert.deepInclude(error.data, { dependency: "mediamtx", detail: "MediaMTX does not answer" })
      yield* temperMediaMtx("obedient")
    })
  )

  onFakes(
    "only restarts: who asks for a stream gets it",
    Effect.gen(function* () {
      const streams = yield* Streams
      const { mediaMtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* well
      yield* mediaMtx.crash
      const stream = yield* streams.lease(camera, "viewer")
      yield* asTimePasses(streams.awaitReady(stream))
    })
  )
})

const full = "the disk is full up to its reserve: recordings wait, and no snapshot is kept"

describe("a MediaMTX that comes up and ends", () => {
  onFakes(
    "again and again has the service DEGRADED until it stays, and is told of at once, twice, and then no more",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const { state } = yield* MediaMtx
      yield* well
      yield* TestClock.adjust("15 seconds")
      yield* well
      const told: Array<string> = []
      yield* (yield* Health).facts.follow(({ health: { components, status } }) =>
        Effect.sync(() => told.push(`${status} ${components.mediamtx}`))
      )
      const runs = (generation: number) =>
        until(
          "it is up",
          Effect.sync(() => {
            const now = SubscriptionRef.getUnsafe(state)
            return now._tag === "Running" && now.generation === generation
          })
        )
      const { generation } = SubscriptionRef.getUnsafe(state)
      for (let i = 1; i <= 6; i++) {
        yield* mediaMtx.crash
        yield* runs(generation + i)
        // one that ended twice is well again at once
        if (i <= 2) yield* well
        else assert.deepInclude((yield* health).reasons, "MediaMTX comes up and ends, again and again")
        yield* asTimePasses(Effect.sleep("3 seconds"))
      }
      const once = ["UNHEALTHY ERROR", "DEGRADED STARTING", "HEALTHY RUNNING"]
      assert.deepStrictEqual(told, [...once, ...once, "DEGRADED STARTING"])
      yield* asTimePasses(Effect.sleep("12 seconds"))
      yield* well
      assert.strictEqual(told.length, 8)
    })
  )
})

describe("a service", () => {
  onFakes(
    "is DEGRADED while its disk is full, and well again when there is room",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* well
      const { takeBack } = yield* disk.suffer({ name: "small", bytes: 1_000_000 })
      const { ready, reasons } = yield* untilHealth("it is noticed", ({ status }) => status === "DEGRADED")
      assert.deepStrictEqual(reasons, [`storage: ${full}`])
      // it still serves what needs no room
      assert.isTrue(ready.ok)
      yield* takeBack
      const now = yield* well
      assert.strictEqual(partOf(now, "storage")?.lastError?.detail, full)
    })
  )

  onFakes(
    "whose disk answers no more is DEGRADED, and still tells so at once",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* well
      const { takeBack } = yield* disk.suffer({ name: "hung", calls: ["space"] })
      const { reasons } = yield* untilHealth("it is noticed", ({ status }) => status === "DEGRADED")
      assert.deepStrictEqual(reasons, ["storage: cannot ask the disk for its room: it does not answer"])
      yield* takeBack
      yield* well
    })
  )

  onFakes(
    "is DEGRADED while a recording that was asked for cannot be written",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      yield* well
      yield* disturb({ frozen: true })
      const { parts, reasons } = yield* untilHealth("the recording's trouble", ({ parts }) =>
        parts.some(({ part, state }) => part === "recording" && state === "ERROR")
      )
      assert.isTrue(reasons.some((reason) => reason.startsWith(`recording of ${camera}: `)))
      assert.isDefined(parts.find(({ part }) => part === "recording")?.lastError)
      yield* disturb({ frozen: false })
      yield* well
    })
  )

  onFakes(
    "tells of each part: the server, MediaMTX, cameras, streams, recordings, the disk and the index",
    Effect.gen(function* () {
      const devices = yield* Devices
      const camera = yield* plugIn()
      yield* readyStream(camera)
      yield* record(yield* start({ camera }))
      const { parts } = yield* well
      assert.deepStrictEqual(
        parts.filter(({ lastError }) => lastError !== undefined),
        []
      )
      assert.deepStrictEqual(
        parts.map(({ device, part, state }) => [part, ...(device === undefined ? [] : [device]), state].join(" ")),
        [
          "websocket_server RUNNING",
          "camera_monitor RUNNING",
          "mediamtx RUNNING",
          "storage RUNNING",
          "index RUNNING",
          "camera camera0 RUNNING",
          "stream camera0 RUNNING",
          "recording camera0 RUNNING"
        ]
      )
      yield* TestClock.adjust("5 seconds")
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs (process 812)"))
      const now = yield* health
      const found = partOf(now, "camera")
      assert.deepInclude(found, { state: "ERROR", error: "BUSY: opened by obs (process 812)" })
      assert.deepInclude(now.reasons, "camera0: BUSY")
    })
  )

  onFakes(
    "is told once for what stays wrong, however often a stream is tried again, and anew for another reason",
    Effect.gen(function* () {
      const devices = yield* Devices
      const { facts } = yield* Health
      const camera = yield* plugIn()
      const stream = yield* readyStream(camera)
      yield* well
      const told: Array<string> = []
      yield* facts.follow(({ health: { reasons } }) => Effect.sync(() => told.push(reasons.join())))
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs (process 812)"))
      for (let i = 0; i < 5; i++) {
        yield* stream.become({ _tag: "Failing", reason: "the camera is busy", isCamera: true })
        yield* TestClock.adjust("10 millis")
        yield* stream.become({ _tag: "Starting", reason: "the camera is busy" })
        yield* TestClock.adjust("10 millis")
      }
      yield* devices.fault(camera, faultOf("NO_PERMISSION", "permission denied"))
      yield* until(
        "the other reason",
        Effect.sync(() => told.at(-1) === "camera0: NO_PERMISSION")
      )
      assert.deepStrictEqual(told, ["camera0: BUSY", "camera0: NO_PERMISSION"])
    })
  )

  onFakes(
    "that ends is not ready any more while its clients are told",
    Effect.gen(function* () {
      const { now, serving } = yield* Health
      yield* well
      yield* serving("STOPPING")
      assert.deepStrictEqual(now().ready, { ok: false, reasons: ["the WebSocket server is stopping"] })
      yield* serving("RUNNING")
    })
  )
})
