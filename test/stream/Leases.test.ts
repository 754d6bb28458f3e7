import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import type { Reason } from "../../src/stream/Streams.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { Viewers } from "../../src/stream/Viewers.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { readyStream, untilReady } from "../suites/streams.ts"
import { dataFolder, disturb, onFakes, onTestGround, plugIn, runFake } from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"
import { tracing } from "../support/Spans.ts"
import { hour, onSettableClock } from "../support/WallClock.ts"

const publishers = Effect.map(running("publish"), (all) => all.length)

const leased = (camera: string, reason: Reason) =>
  Effect.scoped(
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* untilReady(yield* streams.lease(camera, reason))
    })
  )

/** The stream runs for so long from now, to the second. */
const endsIn = Effect.fnUntraced(function* (seconds: number) {
  yield* TestClock.adjust(`${seconds - 1} seconds`)
  assert.strictEqual(yield* publishers, 1)
  yield* TestClock.adjust("1 seconds")
  assert.strictEqual(yield* publishers, 0)
})

describe("how long a stream lives", () => {
  for (const [reason, seconds] of [
    ["viewer", 300],
    ["snapshot", 60]
  ] as const) {
    onFakes(
      `${seconds} s after the last ${reason}`,
      Effect.gen(function* () {
        const camera = yield* plugIn()
        yield* leased(camera, reason)
        yield* endsIn(seconds)
        assert.lengthOf(yield* children("publish"), 1)
      })
    )
  }

  for (const [words, by] of [
    ["back", -hour],
    ["forward", hour]
  ] as const) {
    it.effect(`as long, when the machine's clock is set ${words} by an hour meanwhile`, () =>
      onSettableClock((set) =>
        runFake(
          dataFolder,
          Effect.gen(function* () {
            const camera = yield* plugIn()
            yield* leased(camera, "snapshot")
            yield* TestClock.adjust("10 seconds")
            set(by)
            yield* endsIn(50)
          })
        )
      ).pipe(onTestGround)
    )
  }

  onFakes(
    "no longer than a recording",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* leased(camera, "recording")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* publishers, 0)
    })
  )

  onFakes(
    "as long as the longest of what was asked for: a snapshot does not cut a viewer's time short",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* leased(camera, "viewer")
      yield* TestClock.adjust("10 seconds")
      yield* leased(camera, "snapshot")
      yield* endsIn(290)
    })
  )

  onFakes(
    "anew with each viewer",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* leased(camera, "viewer")
      yield* TestClock.adjust("200 seconds")
      yield* leased(camera, "viewer")
      yield* endsIn(300)
    })
  )

  onFakes(
    "while one lease is held, however long another one is over",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const held = yield* Scope.make()
      yield* readyStream(camera).pipe(Scope.provide(held))
      yield* leased(camera, "snapshot")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* publishers, 1)
      yield* Scope.close(held, Exit.void)
      yield* TestClock.adjust("300 seconds")
      assert.strictEqual(yield* publishers, 0)
    })
  )

  onFakes(
    "as long as was asked for anew while its predecessor still ends",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* plugIn()
      yield* disturb({ stubborn: true })
      yield* leased(camera, "viewer")
      // its FFmpeg takes 2 s to end
      yield* TestClock.adjust("11 seconds")
      yield* disturb({ stubborn: false })
      yield* Effect.scoped(streams.lease(camera, "viewer"))
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual(yield* publishers, 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* publishers, 0)
      assert.lengthOf(yield* children("publish"), 2)
    }),
    { streams: { viewer_linger_seconds: 10 } }
  )

  onFakes(
    "and is found by its camera, also where that was forgotten while its predecessor ended",
    Effect.gen(function* () {
      const streams = yield* Streams
      const devices = yield* Devices
      const plugged = yield* Scope.make()
      const camera = yield* Scope.provide(plugIn(), plugged)
      yield* disturb({ stubborn: true })
      const first = yield* Scope.make()
      yield* readyStream(camera).pipe(Scope.provide(first))
      yield* Effect.forkChild(Scope.close(first, Exit.void))
      yield* TestClock.adjust("1 second")
      const second = yield* streams.lease(camera, "recording")
      yield* Scope.close(plugged, Exit.void)
      yield* devices.forget(camera, "kept")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(streams.current(camera), second)
    }),
    { streams: { viewer_linger_seconds: 0 } }
  )
})

describe("stopping a stream", () => {
  onFakes(
    "ends the time that it lingers for nobody",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* plugIn()
      yield* leased(camera, "viewer")
      assert.isFalse(yield* streams.release(camera))
      assert.strictEqual(yield* publishers, 0)
      assert.isUndefined(streams.current(camera))
    })
  )

  onFakes(
    "takes it from nobody who needs it",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* plugIn()
      yield* streams.lease(camera, "recording")
      yield* leased(camera, "viewer")
      assert.isTrue(yield* streams.release(camera))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* publishers, 1)
    })
  )

  onFakes(
    "of a camera whose stream does not run does nothing",
    Effect.gen(function* () {
      const streams = yield* Streams
      assert.isFalse(yield* streams.release(yield* plugIn()))
    })
  )
})

describe("a reader that comes straight to MediaMTX", () => {
  onFakes(
    "starts the stream, and holds it until 300 s after it left",
    Effect.gen(function* () {
      const viewers = yield* Viewers
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* viewers.admit(camera)
      yield* until(
        "the stream",
        Effect.map(publishers, (count) => count === 1)
      )
      yield* mtx.setReaders(camera, 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* publishers, 1)
      yield* mtx.setReaders(camera, 0)
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual(yield* publishers, 1)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* publishers, 0)
    })
  )

  onFakes(
    "adds nothing to the trace of its coming for as long as it watches",
    Effect.gen(function* () {
      const { layer: tracers, spans } = tracing()
      const viewers = yield* Viewers
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* Effect.provide(viewers.admit(camera), tracers)
      yield* until(
        "the stream",
        Effect.map(publishers, (count) => count === 1)
      )
      yield* mtx.setReaders(camera, 1)
      yield* TestClock.adjust("1 minute")
      assert.include(
        spans.map(({ name }) => name),
        "Ffmpeg.start"
      )
      const before = spans.length
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(spans.length, before)
    })
  )

  onFakes(
    "keeps its stream when MediaMTX does not say for a while who reads",
    Effect.gen(function* () {
      const viewers = yield* Viewers
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* viewers.admit(camera)
      yield* until(
        "the stream",
        Effect.map(publishers, (count) => count === 1)
      )
      yield* mtx.setReaders(camera, 1)
      yield* TestClock.adjust("1 minute")
      // one that answered nobody for longer would be started again
      for (let times = 0; times < 4; times++) {
        yield* mtx.disturb({ breaks: true })
        yield* TestClock.adjust("3 seconds")
        yield* mtx.disturb({ breaks: false })
        yield* TestClock.adjust("2 seconds")
      }
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* publishers, 1)
      assert.lengthOf(yield* children("publish"), 1)
    })
  )

  onFakes(
    "while the stream of the reader before it ends has one of its own",
    Effect.gen(function* () {
      const viewers = yield* Viewers
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* disturb({ stubborn: true })
      yield* viewers.admit(camera)
      yield* TestClock.adjust("1 second")
      yield* mtx.setReaders(camera, 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* publishers, 1)
      yield* mtx.setReaders(camera, 0)
      // its FFmpeg takes 3 s to end
      yield* TestClock.adjust("2 seconds")
      yield* viewers.admit(camera)
      yield* disturb({ stubborn: false })
      yield* TestClock.adjust("5 seconds")
      yield* mtx.setReaders(camera, 1)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* children("publish"), 2)
      assert.isFalse((yield* children("publish"))[0]?.running())
      assert.strictEqual(yield* publishers, 1)
    }),
    { streams: { viewer_linger_seconds: 0 } }
  )

  onFakes(
    "and never plays holds the stream no longer than a start may take, and the linger",
    Effect.gen(function* () {
      const viewers = yield* Viewers
      const camera = yield* plugIn()
      yield* viewers.admit(camera)
      yield* TestClock.adjust("300 seconds")
      assert.strictEqual(yield* publishers, 1)
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* publishers, 0)
    })
  )

  onFakes(
    "and asks for a camera that is not there disturbs no other",
    Effect.gen(function* () {
      const viewers = yield* Viewers
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* viewers.admit(camera)
      yield* until(
        "the stream",
        Effect.map(publishers, (count) => count === 1)
      )
      yield* mtx.setReaders(camera, 1)
      yield* viewers.admit("camera9")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* publishers, 1)
      assert.lengthOf(yield* children("publish"), 1)
    })
  )
})
