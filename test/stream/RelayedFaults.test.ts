import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { readyStream, stateOf } from "../suites/streams.ts"
import { onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { attachCamera, target, url } from "../support/NetworkCamera.ts"
import { failureWith, startCamera } from "./RelayedBench.ts"

describe("a camera that streams by itself and has a fault", () => {
  for (const [fault, kind] of [
    [{ refuses: { DESCRIBE: "404 Not Found" } }, "NOT_FOUND"],
    [{ refuses: { DESCRIBE: "301 Moved Permanently" } }, "REDIRECTED"],
    [{ refuses: { SETUP: "453 Not Enough Bandwidth" } }, "SESSION_LIMIT"],
    [{ refuses: { SETUP: "461 Unsupported Transport" } }, "PROTOCOL"],
    [{ sdp: "v=0\r\nm=audio 0 RTP/AVP 0\r\n" }, "NO_VIDEO"],
    [{ diesInMidFrame: true }, "UNREACHABLE"]
  ] as const) {
    onFakes(
      `is told as ${kind} within a second where its fault is ${JSON.stringify(fault)}`,
      Effect.gen(function* () {
        const failure = yield* failureWith(fault)
        assert.strictEqual(failure.kind, kind)
        assert.isAtMost(failure.millis, 1000)
        assert.strictEqual(failure.told._tag, "DependencyFailed")
        assert.notInclude(JSON.stringify(failure), "secret")
      })
    )
  }

  onFakes(
    "is told to who records it or has it stream as it is, at once, and with what to do",
    Effect.gen(function* () {
      const { id } = yield* attachCamera()
      yield* (yield* Paths).awaitPath(id)
      const recordings = yield* Recordings
      const streams = yield* Streams
      const began = yield* Clock.currentTimeMillis
      for (const refused of [
        yield* Effect.flip(recordings.start({ camera: id, format: "fmp4" })),
        yield* Effect.flip(Effect.flatMap(streams.lease(id, "viewer"), streams.awaitReady))
      ]) {
        assert.deepInclude(refused, {
          dependency: "camera",
          reason: "UNREACHABLE",
          detail: "nobody listens at its port"
        })
        assert.include(refused.message, "look whether the camera is on")
      }
      assert.isAtMost((yield* Clock.currentTimeMillis) - began, 1000)
      assert.isEmpty((yield* TestGround).disk.outside.names("/data/recordings"))
    })
  )

  for (const [fault, what] of [
    [{ isSilent: true }, "no answer to OPTIONS within 3 s"],
    [{ neverPlays: true }, "no video for 3 s"]
  ] as const) {
    onFakes(
      `is STALLED after 3 s where it ${JSON.stringify(fault)}`,
      Effect.gen(function* () {
        const { detail, kind, millis } = yield* failureWith(fault)
        assert.deepEqual([kind, detail], ["STALLED", what])
        assert.isAtMost(millis, 3500)
      })
    )
  }

  onFakes(
    "is told as UNREACHABLE within a second where nobody answers, or nobody listens",
    Effect.gen(function* () {
      const { peers } = yield* TestGround
      const streams = yield* Streams
      const nobody = yield* attachCamera()
      yield* Effect.flip(streams.awaitReady(yield* streams.lease(nobody.id, "viewer")))
      yield* peers.silence("192.168.42.11")
      const silent = yield* attachCamera({ ...target, address: "192.168.42.11", url: `${url}2` })
      yield* (yield* Paths).awaitPath(silent.id)
      const stream = yield* streams.lease(silent.id, "viewer")
      yield* Effect.forkChild(streams.awaitReady(stream))
      yield* TestClock.adjust("1 second")
      const devices = yield* Devices
      for (const { id } of [nobody, silent]) {
        assert.strictEqual((yield* devices.get(id)).fault?.kind, "UNREACHABLE")
      }
    })
  )

  onFakes(
    "whose server is back before its stream is back within 2 s of that",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const stream = yield* readyStream((yield* attachCamera()).id)
      yield* TestClock.adjust("20 seconds")
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" }, diesInMidFrame: true })
      yield* TestClock.adjust("1500 millis")
      assert.strictEqual(stateOf(stream)._tag, "Failing")
      yield* camera.disturb({ refuses: {}, diesInMidFrame: false })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(stateOf(stream)._tag, "Ready")
    })
  )

  onFakes(
    "that is away is tried less and less often, every 30 s at last, and never in step with others",
    Effect.gen(function* () {
      const streams = yield* Streams
      const ends: Array<number> = []
      yield* streams.facts.follow((fact) =>
        Effect.sync(() => {
          if (fact._tag === "StreamChanged" && fact.ended !== undefined) ends.push(fact.at.monotonic)
        })
      )
      yield* streams.lease((yield* attachCamera()).id, "recording")
      yield* TestClock.adjust("10 minutes")
      const pauses = ends.slice(1).map((end, i) => Math.round((end - (ends[i] ?? 0)) / 100))
      assert.isBelow(pauses[0] ?? 100, 10)
      assert.isAtMost(Math.max(...pauses), 331)
      assert.isTrue(
        pauses.slice(-10).every((pause) => pause >= 269),
        pauses.join()
      )
      assert.isAbove(new Set(pauses.slice(-10)).size, 5)
    })
  )

  onFakes(
    "that stops to send is STALLED after 3 s, and back within 2 s of sending again",
    Effect.gen(function* () {
      const devices = yield* Devices
      const camera = yield* startCamera
      const { id } = yield* attachCamera()
      const stream = yield* readyStream(id)
      yield* camera.disturb({ isStalled: true })
      yield* TestClock.adjust("3500 millis")
      assert.strictEqual((yield* devices.get(id)).fault?.kind, "STALLED")
      yield* camera.disturb({ isStalled: false })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(stateOf(stream)._tag, "Ready")
      assert.strictEqual((yield* devices.get(id)).status, "CONNECTED")
    })
  )

  for (const [what, begin, end, detail] of [
    [
      "asks on and on and reads no answer",
      { isDeaf: true },
      { isDeaf: false },
      "it asks and does not read the answers"
    ],
    ["asks a thousand times at once", { asksOften: true }, { asksOften: false }, "it asks too often"],
    ["sends metadata without end", { endlessKlv: true }, { endlessKlv: false }, "its metadata has no end"]
  ] as const) {
    onFakes(
      `that ${what} is given up`,
      Effect.gen(function* () {
        const devices = yield* Devices
        const camera = yield* startCamera
        const { id } = yield* attachCamera()
        yield* readyStream(id)
        yield* camera.disturb(begin)
        const fault = yield* until(
          "the fault is told",
          Effect.map(Effect.orDie(devices.get(id)), (device) => device.fault)
        )
        assert.deepInclude(fault, { kind: "PROTOCOL", detail })
        yield* camera.disturb(end)
        yield* until(
          "the session is over",
          Effect.sync(() => camera.playing() === 0)
        )
      })
    )
  }
})
