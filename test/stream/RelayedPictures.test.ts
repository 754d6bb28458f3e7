import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { Viewers } from "../../src/stream/Viewers.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { take } from "../suites/snapshots.ts"
import { readyStream, stateOf } from "../suites/streams.ts"
import { onFakes } from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"
import { attachCamera, login, url, withLogin } from "../support/NetworkCamera.ts"
import { startCamera } from "./RelayedBench.ts"

describe("who waits for a camera that streams by itself, and its pictures", () => {
  onFakes(
    "shows its last keyframe as a snapshot, with the time at which it came",
    Effect.gen(function* () {
      yield* startCamera
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      const first = yield* take({ camera: id, maxAge: 5000 })
      assert.deepEqual([first.capture.name, first.picture.width], ["live", 64])
      const second = yield* take({ camera: id, maxAge: 0 })
      assert.isAbove(second.picture.captured.monotonic, first.picture.captured.monotonic)
      assert.strictEqual(second.picture.keyframeInterval, 1000)
      // two pictures, and who stands by for the next as soon as these are told
      assert.lengthOf(yield* children("convert"), 2)
      yield* TestClock.adjust("100 millis")
      const standing = (yield* running("convert")).map(({ args }) => args[args.indexOf("-frames:v") + 1])
      // the second has made the picture of the last keyframe by then
      assert.deepEqual(standing.toSorted(), ["1", "2"])
      assert.lengthOf(yield* children("convert"), 4)
    })
  )

  onFakes(
    "makes one picture of a keyframe, whoever wants it at once",
    Effect.gen(function* () {
      yield* startCamera
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      const all = Array.from({ length: 10 }, () => take({ camera: id, maxAge: 5000 }))
      const snapshots = yield* Effect.all(all, { concurrency: "unbounded" })
      assert.lengthOf([...new Set(snapshots.map(({ picture }) => picture.jpeg))], 1)
      // and who stands by
      yield* TestClock.adjust("100 millis")
      assert.lengthOf(yield* children("convert"), 2)
    })
  )

  onFakes(
    "has pictures at hand that are expected to be wanted, by when they were before, and no others",
    Effect.gen(function* () {
      yield* startCamera
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      const made = Effect.gen(function* () {
        return (yield* children("convert")).length - (yield* running("convert")).length
      })
      const nextKeyframe = TestClock.adjust("1 second")
      yield* take({ camera: id, maxAge: 5000 })
      for (let i = 0; i < 4; i++) yield* nextKeyframe
      assert.strictEqual(yield* made, 1)
      yield* take({ camera: id, maxAge: 5000 })
      yield* nextKeyframe
      yield* nextKeyframe
      assert.strictEqual(yield* made, 2)
      yield* nextKeyframe
      yield* nextKeyframe
      assert.strictEqual(yield* made, 4)
      const { picture, captureMs } = yield* take({ camera: id, maxAge: 1000 })
      assert.deepEqual([yield* made, picture.keyframeInterval, captureMs], [4, 1000, 0])
      for (let i = 0; i < 10; i++) yield* nextKeyframe
      assert.strictEqual(yield* made, 7)
    })
  )

  onFakes(
    "is woken for a snapshot while it is idle, and tells its keyframe interval once that has been seen",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* startCamera
      const { id } = yield* attachCamera()
      const snapshot = yield* take({ camera: id })
      assert.strictEqual(snapshot.capture.name, "activated")
      assert.isUndefined(snapshot.picture.keyframeInterval)
      yield* TestClock.adjust("2 seconds")
      yield* streams.release(id)
      yield* until(
        "it is idle",
        Effect.sync(() => streams.current(id) === undefined)
      )
      const again = yield* take({ camera: id })
      assert.strictEqual(again.capture.name, "activated")
      assert.strictEqual(again.picture.keyframeInterval, 1000)
    })
  )

  onFakes(
    "that fails keeps no viewer waiting at MediaMTX: not those who wait then, nor who comes later",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const viewers = yield* Viewers
      const camera = yield* startCamera
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" } })
      const { id } = yield* attachCamera()
      const dismissals = () => mediaMtx.calls().filter((call) => call === `replace ${id}`).length
      yield* viewers.admit(id)
      yield* until(
        "they are sent away",
        Effect.sync(() => dismissals() === 1)
      )
      yield* viewers.admit(id)
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(dismissals(), 2)
      yield* camera.disturb({ refuses: {} })
      yield* TestClock.adjust("20 seconds")
      assert.isTrue(Option.getOrThrow(yield* (yield* MediaMtxApi).getPath(id)).ready)
    })
  )

  onFakes(
    "whose password was refused a moment ago keeps nobody waiting: who comes is sent away once MediaMTX holds them",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const streams = yield* Streams
      const camera = yield* startCamera
      yield* camera.disturb({ login: { ...login, password: "another", way: "MD5" } })
      const { id } = yield* attachCamera(yield* withLogin)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* streams.lease(id, "recording")
          yield* until(
            "it is refused",
            Effect.sync(() => stateOf(stream)._tag === "Failing")
          )
        })
      )
      const began = yield* Clock.currentTimeMillis
      yield* (yield* Viewers).admit(id)
      yield* until(
        "they are sent away",
        Effect.sync(() => mediaMtx.calls().includes(`replace ${id}`))
      )
      const millis = (yield* Clock.currentTimeMillis) - began
      assert.isAtLeast(millis, 100)
      assert.isAtMost(millis, 200)
    })
  )

  onFakes(
    "and recovers keeps its run, also where MediaMTX failed to send away who waited before",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const camera = yield* startCamera
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" } })
      const { id } = yield* attachCamera()
      const dismissals = () => mediaMtx.calls().filter((call) => call === `replace ${id}`).length
      const paths = yield* Paths
      yield* until(
        "the path",
        Effect.sync(() => paths.exists(id))
      )
      yield* mediaMtx.disturb({ refusals: 1 })
      yield* (yield* Viewers).admit(id)
      yield* until(
        "they were to be sent away",
        Effect.sync(() => dismissals() === 1)
      )
      yield* camera.disturb({ refuses: {} })
      const stream = yield* readyStream(id)
      const { run } = stream
      yield* TestClock.adjust("30 seconds")
      assert.isDefined(run)
      assert.strictEqual(stream.run, run)
      assert.strictEqual(stream.restarts, 1)
    })
  )

  onFakes(
    "streams without a Content-Base too",
    Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb({ noContentBase: true })
      yield* readyStream((yield* attachCamera()).id)
      assert.include(camera.requests(), `SETUP ${url}/trackID=0`)
    })
  )
})
