import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { Streams } from "../../src/stream/Streams.ts"
import { numbered } from "../../testing/Pictures.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { asTimePasses } from "../suites/recordings.ts"
import { disturb, onFakes, plugInUsb, publishing } from "../support/App.ts"
import { children, until } from "../support/Ground.ts"

const playing = Effect.map(publishing, ([process]) => process)

describe("a camera that freezes before its stream is there", () => {
  onFakes(
    "before its first frame for all the time that somebody waits is the reason that he is told",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ neverReady: true })
      const stream = yield* streams.lease(yield* plugInUsb(), "viewer")
      const failure = yield* asTimePasses(Effect.flip(streams.awaitReady(stream)))
      assert.deepInclude(failure, { dependency: "camera", reason: "FROZEN" })
    })
  )

  onFakes(
    "is given that time while it is MediaMTX that is slow: FFmpeg gives one picture, and no other before it may publish",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const streams = yield* Streams
      yield* disturb({ neverReady: true })
      yield* streams.lease(yield* plugInUsb(), "viewer")
      const ffmpeg = yield* until("FFmpeg", playing)
      yield* mediaMtx.disturb({ slow: "490 millis" })
      ffmpeg.stdout(numbered(0))
      yield* TestClock.adjust("9 seconds")
      assert.lengthOf(yield* children("publish"), 1)
      yield* TestClock.adjust("3 seconds")
      assert.lengthOf(yield* children("publish"), 2)
    })
  )

  onFakes(
    "with its FFmpeg after its first picture, which nobody was to see yet, keeps who waits for it waiting and no more",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ neverReady: true })
      const stream = yield* streams.lease(yield* plugInUsb(), "viewer")
      const ffmpeg = yield* until("FFmpeg", playing)
      ffmpeg.stdout(numbered(0))
      yield* SubscriptionRef.set(ffmpeg.temper, "stopped")
      yield* disturb({ neverReady: false })
      yield* asTimePasses(streams.awaitReady(stream))
      assert.lengthOf(yield* children("publish"), 2)
    })
  )
})
