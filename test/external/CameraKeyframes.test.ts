import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { ExternalStreams } from "../../src/external/ExternalStreams.ts"
import { parseStreamUrl } from "../../src/external/StreamUrl.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { start } from "../suites/recordings.ts"
import { take } from "../suites/snapshots.ts"
import { readyStream, untilReady } from "../suites/streams.ts"
import { onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { fault, playCamera, type PlayedCamera, reply } from "../support/OnvifCamera.ts"
import { token } from "../support/RpcVisitor.ts"
import { bearer, come } from "../support/StreamVisitor.ts"
import { whepOffer } from "../support/WhepOffer.ts"

await import("fast-xml-parser")

const address = "192.168.1.64"
const call = "SetSynchronizationPoint"

/** An ONVIF camera whose keyframes are 20 s apart. `delay` holds up its word that it sends one. */
const addCamera = Effect.fnUntraced(function* (played: PlayedCamera = {}, delay: Effect.Effect<void> = Effect.void) {
  const { neighbours, rtspCameras } = yield* TestGround
  const { answer, seen } = playCamera({ host: address, ...played })
  const rtsp = yield* rtspCameras.start(address)
  yield* rtsp.disturb({ keyframeEvery: 200 })
  yield* neighbours.serve(address, 80, (request) =>
    Effect.tap(answer(request), ({ status }) => {
      if (request.body?.includes(call) !== true) return Effect.void
      return Effect.andThen(delay, status === 200 ? rtsp.keyframe : Effect.void)
    })
  )
  const url = yield* Effect.fromResult(parseStreamUrl(`http://${address}/onvif/device_service`))
  const { device } = yield* asTimePasses((yield* ExternalStreams).add({ url, type: "onvif", name: "Gate" }))
  return { camera: device, rtsp, seen, asked: () => seen.calls.filter((one) => one === call).length }
})

/** It plays, 5 s after its last keyframe. */
const liveCamera = Effect.fnUntraced(function* (...played: Parameters<typeof addCamera>) {
  const added = yield* addCamera(...played)
  yield* readyStream(added.camera)
  yield* TestClock.adjust("5 seconds")
  return added
})

const untilAsked = (asked: () => number, times: number) =>
  until(
    `it is asked ${times} times`,
    Effect.sync(() => asked() === times)
  )

const refuses = { [call]: () => reply(fault("ActionNotSupported", "no such call"), 400) }

describe("a live ONVIF camera", () => {
  onFakes(
    "is asked for a keyframe by who wants a picture newer than its last, and has not to wait for its next",
    Effect.gen(function* () {
      const { asked, camera } = yield* liveCamera()
      const old = yield* take({ camera, maxAge: 10_000 })
      assert.isAtLeast(old.ageMs, 5000)
      assert.strictEqual(asked(), 0)
      const fresh = yield* take({ camera, maxAge: 1000 })
      assert.strictEqual(fresh.capture.name, "live")
      assert.isAtMost(fresh.captureMs, 500)
      assert.strictEqual(asked(), 1)
    })
  )

  onFakes(
    "is asked when a browser has come to see it",
    Effect.gen(function* () {
      const { asked, camera } = yield* liveCamera()
      const shown = yield* token({ role: "viewer" })
      const headers = { ...bearer(shown), "content-type": "application/sdp" }
      const { status } = yield* come({ method: "POST", target: `/whep/${camera}`, headers, body: whepOffer })
      assert.strictEqual(status, 201)
      yield* untilAsked(asked, 1)
    })
  )

  onFakes(
    "is asked when a recording begins, and when a transcode has come to read it",
    Effect.gen(function* () {
      const streams = yield* Streams
      const { asked, camera, rtsp } = yield* liveCamera()
      yield* start({ camera })
      yield* untilAsked(asked, 1)
      yield* TestClock.adjust("2 seconds")
      yield* untilReady(yield* streams.lease(`${camera}_h264`, "viewer"))
      yield* untilAsked(asked, 2)
      assert.strictEqual(rtsp.mostAtOnce(), 1)
    })
  )

  onFakes(
    "is asked once a second at most, and once more for all who came after it was",
    Effect.gen(function* () {
      const { asked, camera, seen } = yield* liveCamera()
      yield* take({ camera, maxAge: 0 })
      const calls = seen.calls.length
      yield* TestClock.adjust("100 millis")
      const all = Array.from({ length: 10 }, () => take({ camera, maxAge: 0 }))
      yield* Effect.all(all, { concurrency: "unbounded" })
      assert.strictEqual(asked(), 2)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(asked(), 2)
      // how it is asked need not be found out again
      assert.strictEqual(seen.calls.length, calls + 1)
    })
  )

  onFakes(
    "is looked for anew every two minutes, however often it is asked: it may have gone where none may be",
    Effect.gen(function* () {
      const { camera, seen } = yield* liveCamera()
      const learnt = () => seen.calls.filter((one) => one === "GetProfiles").length
      yield* take({ camera, maxAge: 0 })
      const before = learnt()
      for (let i = 0; i < 3; i++) {
        yield* TestClock.adjust("45 seconds")
        yield* take({ camera, maxAge: 0 })
      }
      assert.strictEqual(learnt(), before + 1)
    })
  )

  onFakes(
    "that refuses is recorded all the same, and left alone for a minute",
    Effect.gen(function* () {
      const { asked, camera } = yield* liveCamera({ instead: refuses })
      const recording = yield* start({ camera })
      assert.lengthOf(recording.segments(), 1)
      yield* untilAsked(asked, 1)
      const late = yield* asTimePasses(Effect.flip(take({ camera, maxAge: 0 })))
      assert.strictEqual(late._tag, "DependencyFailed")
      assert.strictEqual(asked(), 1)
      yield* TestClock.adjust("1 minute")
      yield* asTimePasses(Effect.ignore(take({ camera, maxAge: 0 })))
      assert.strictEqual(asked(), 2)
    })
  )

  onFakes(
    "that does not answer holds nobody up",
    Effect.gen(function* () {
      const { asked, camera, rtsp } = yield* liveCamera({}, Effect.never)
      yield* start({ camera })
      yield* untilAsked(asked, 1)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(rtsp.playing(), 1)
    })
  )
})

describe("an idle ONVIF camera", () => {
  onFakes(
    "that begins between two keyframes is asked for one",
    Effect.gen(function* () {
      const { asked, camera, rtsp } = yield* addCamera()
      yield* rtsp.disturb({ beginsBefore: 150 })
      const snapshot = yield* asTimePasses(take({ camera }))
      assert.strictEqual(snapshot.capture.name, "activated")
      assert.isAtMost(snapshot.captureMs, 1000)
      assert.strictEqual(asked(), 1)
    })
  )

  onFakes(
    "that begins with one is not asked",
    Effect.gen(function* () {
      const { asked, camera } = yield* addCamera()
      const snapshot = yield* asTimePasses(take({ camera }))
      assert.strictEqual(snapshot.capture.name, "activated")
      assert.strictEqual(asked(), 0)
    })
  )
})
