import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import { Snapshots } from "../../src/snapshot/Snapshots.ts"
import { Streams } from "../../src/stream/Streams.ts"
import type { RtspFaults } from "../../testing/RtspFaults.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { take } from "../suites/snapshots.ts"
import { readyStream } from "../suites/streams.ts"
import { onFakes, takeMediaMtx } from "../support/App.ts"
import { children, until } from "../support/Ground.ts"
import { attachCamera, login, target, url, withLogin } from "../support/NetworkCamera.ts"

const startCamera = Effect.flatMap(TestGround, ({ rtspCameras }) => rtspCameras.start(target.address))

describe("a camera that streams by itself, while MediaMTX is away", () => {
  onFakes(
    "is read directly, in one session, whoever wants a picture at once, which is over then",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const { id } = yield* attachCamera()
      yield* takeMediaMtx
      const snapshots = yield* Snapshots
      const five = Array.from({ length: 5 }, () => snapshots.take({ camera: id, maxAge: 1000 }))
      yield* camera.disturb({ isStalled: true })
      const taking = yield* Effect.forkChild(asTimePasses(Effect.all(five, { concurrency: "unbounded" })))
      yield* until(
        "it plays",
        Effect.sync(() => camera.playing() === 1)
      )
      yield* camera.disturb({ isStalled: false })
      const all = yield* Fiber.join(taking)
      for (const { capture, tried } of all) {
        assert.strictEqual(capture.name, "direct")
        assert.strictEqual(tried[1]?.outcome, "MediaMTX does not run")
      }
      assert.strictEqual(camera.mostAtOnce(), 1)
      yield* until(
        "the session is over",
        Effect.sync(() => camera.playing() === 0)
      )
      assert.include(camera.requests(), `TEARDOWN ${url}/`)
      // the video alone
      assert.deepEqual(
        camera.requests().filter((request) => request.startsWith("SETUP")),
        [`SETUP ${url}/trackID=0`]
      )
      assert.strictEqual((yield* (yield* Devices).get(id)).status, "CONNECTED")
    })
  )

  for (const [faults, kind] of [
    [{ refuses: { DESCRIBE: "404 Not Found" } }, "NOT_FOUND"],
    [{ refuses: { SETUP: "453 Not Enough Bandwidth" } }, "SESSION_LIMIT"],
    [{ isSilent: true }, "STALLED"]
  ] as const) {
    onFakes(
      `and gives no picture has a fault, which is told: ${kind}`,
      Effect.gen(function* () {
        const camera = yield* startCamera
        yield* camera.disturb(faults)
        const { id } = yield* attachCamera()
        yield* takeMediaMtx
        const failure = yield* Effect.flip(take({ camera: id }))
        assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "camera", reason: kind })
        assert.strictEqual((yield* (yield* Devices).get(id)).fault?.kind, kind)
      })
    )
  }
})

describe("a camera that streams by itself and fails", () => {
  for (const [kind, faults, at] of [
    ["AUTH_FAILED", { login: { ...login, password: "another", way: "MD5" } }, withLogin],
    ["NOT_FOUND", { refuses: { DESCRIBE: "404 Not Found" } }, Effect.succeed(target)],
    ["STALLED", { neverPlays: true }, Effect.succeed(target)],
    ["UNREACHABLE", { diesInMidFrame: true }, Effect.succeed(target)]
  ] satisfies ReadonlyArray<readonly [string, Partial<RtspFaults>, typeof withLogin]>) {
    onFakes(
      `tells it to who wants a picture, within 10 s, and is not asked once more for it: ${kind}`,
      Effect.gen(function* () {
        const camera = yield* startCamera
        yield* camera.disturb(faults)
        const { id } = yield* attachCamera(yield* at)
        const began = yield* Clock.currentTimeMillis
        const failure = yield* Effect.flip(take({ camera: id }))
        assert.isAtMost((yield* Clock.currentTimeMillis) - began, 10_000)
        assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "camera", reason: kind })
        if (failure._tag !== "DependencyFailed") return
        assert.isDefined(failure.suggestion)
        const { fault } = yield* (yield* Devices).get(id)
        assert.strictEqual(failure.tiers_tried?.[1]?.outcome, `the stream fails: ${fault?.detail}`)
        assert.lengthOf(
          camera.requests().filter((request) => request.startsWith("OPTIONS")),
          camera.rejections() === 0 ? 1 : 2
        )
        assert.isAtMost(camera.rejections(), 1)
      })
    )
  }

  onFakes(
    "has eight seconds between its keyframes, and the time for one picture goes to waiting for one",
    Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb({ keyframeEvery: 80 })
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      yield* take({ camera: id, maxAge: 5000 })
      yield* TestClock.adjust("1 second")
      const { capture, picture, tried } = yield* take({ camera: id, maxAge: 0 })
      assert.strictEqual(capture.name, "direct")
      assert.deepEqual(
        tried.map(({ outcome }) => outcome),
        ["no picture in time", "no picture in time", "SUCCESS"]
      )
      assert.strictEqual(picture.keyframeInterval, 8000)
      assert.strictEqual(camera.mostAtOnce(), 1)
    })
  )

  onFakes(
    "is not asked for a second session where its own has no picture",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* startCamera
      // no pictures are made of it
      yield* camera.disturb({ sdp: "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=control:trackID=0\r\n" })
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      const began = yield* Clock.currentTimeMillis
      const failure = yield* Effect.flip(take({ camera: id }))
      assert.isAtMost((yield* Clock.currentTimeMillis) - began, 10_000)
      assert.include(JSON.stringify(failure), "no picture in time")
      assert.strictEqual(camera.mostAtOnce(), 1)
      assert.lengthOf(yield* children("convert"), 0)
      assert.isDefined(streams.current(id)?.run)
    })
  )
})
