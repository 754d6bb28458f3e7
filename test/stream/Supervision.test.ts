import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Ending } from "../../testing/Programs.ts"
import { millisSince, now } from "../../src/ground/Time.ts"
import { readyStream, stateOf, untilReady } from "../suites/streams.ts"
import {
  bringMediaMtx,
  dataFolder,
  disturb,
  onFakes,
  onTestGround,
  plugIn,
  publishing,
  runFake,
  takeMediaMtx
} from "../support/App.ts"
import { listening } from "../support/Log.ts"
import { children, Ground, running, until } from "../support/Ground.ts"
import { onStallingClock } from "../support/WallClock.ts"

const mediaMtxState = Effect.flatMap(MediaMtx, ({ state }) => SubscriptionRef.get(state))

const endPublisher = Effect.fnUntraced(function* (ending: Ending) {
  const [ffmpeg] = yield* publishing
  yield* ffmpeg?.end(ending) ?? Effect.void
})

describe("an FFmpeg that ends", () => {
  onFakes(
    "with status 0 though nobody asked is a failure too: so it ends when a camera is pulled out",
    Effect.gen(function* () {
      const stream = yield* readyStream(yield* plugIn())
      yield* endPublisher({ code: 0 })
      const state = yield* until(
        "the end is told",
        Effect.sync(() => "reason" in stateOf(stream) && stateOf(stream))
      )
      assert.deepEqual(state, { _tag: "Starting", reason: "ffmpeg ended with status 0" })
      yield* untilReady(stream)
    })
  )

  onFakes(
    "again and again is started with growing pauses, 10 s at most, and its stream says it fails",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ failStarts: 1000 })
      const stream = yield* streams.lease(yield* plugIn(), "viewer")
      yield* until(
        "the second failure",
        Effect.sync(() => stateOf(stream)._tag === "Failing")
      )
      assert.deepEqual(stateOf(stream), {
        _tag: "Failing",
        reason: "ffmpeg ended with status 1: the camera is broken"
      })
      yield* TestClock.adjust("1 minute")
      const early = (yield* children("publish")).length
      assert.isAbove(early, 7)
      assert.isBelow(early, 16)
      yield* TestClock.adjust("10 minutes")
      const later = (yield* children("publish")).length - early
      assert.isAtLeast(later, 54)
      assert.isAtMost(later, 67)
      yield* disturb({ failStarts: 0 })
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual(stateOf(stream)._tag, "Ready")
    })
  )

  it.effect(
    "again and again for the same reason is logged at once and every ten minutes, and once when it works again",
    () => {
      const { layer, lines } = listening()
      const ended = () => lines.filter(({ message }) => message.includes("the stream's run ended"))
      const again = () => lines.filter(({ message }) => message.includes("the stream runs again"))
      const body = Effect.gen(function* () {
        const streams = yield* Streams
        const camera = yield* plugIn()
        yield* disturb({ failStarts: 1000 })
        const failing = Effect.gen(function* () {
          yield* streams.lease(camera, "viewer")
          yield* TestClock.adjust("14 minutes")
        })
        yield* Effect.scoped(failing)
        yield* TestClock.adjust("2 minutes")
        // of another stream of that camera it is the same
        yield* Effect.scoped(failing)
        assert.isAtLeast((yield* children("publish")).length, 100)
        assert.isAtMost(ended().length, 4)
        assert.isAtLeast(ended().length, 3)
        assert.include(JSON.stringify(ended()[0]), "the camera is broken")
        assert.match(JSON.stringify(ended().at(-1)), /it has ended \d+ times within \d+ s/)
        assert.lengthOf(again(), 0)
        yield* disturb({ failStarts: 0 })
        yield* readyStream(camera)
        yield* TestClock.adjust("10 minutes")
        assert.deepInclude(again()[0], { level: "info", "camera.id": camera })
        assert.lengthOf(again(), 1)
      })
      return Effect.provide(runFake(dataFolder, body), layer).pipe(onTestGround)
    }
  )

  onFakes(
    "each time that MediaMTX is killed is started as soon as MediaMTX is there again: what ended it is no camera's failure",
    Effect.gen(function* () {
      const ground = yield* Ground
      const stream = yield* readyStream(yield* plugIn())
      const waits: Array<number> = []
      for (let kill = 0; kill < 6; kill++) {
        const before = yield* children("publish")
        yield* ground.crashMediaMtx
        yield* until(
          "MediaMTX's start",
          Effect.map(mediaMtxState, ({ _tag, generation }) => _tag === "Running" && generation > kill + 1)
        )
        const back = yield* now
        yield* until(
          "FFmpeg's start",
          Effect.map(children("publish"), ({ length }) => length > before.length)
        )
        waits.push(yield* millisSince(back))
        yield* untilReady(stream)
      }
      assert.isBelow(Math.max(...waits), 350)
    })
  )

  onFakes(
    "after it ran well is started again within a third of a second, however often it failed before",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ failStarts: 6 })
      const stream = yield* streams.lease(yield* plugIn(), "viewer")
      yield* untilReady(stream)
      yield* TestClock.adjust("10 seconds")
      yield* endPublisher({ code: 1 })
      yield* TestClock.adjust("300 millis")
      assert.lengthOf(yield* running("publish"), 1)
      assert.strictEqual(stateOf(stream)._tag, "Starting")
    })
  )

  onFakes(
    "each time just after it was ready is a failure in a row: the pauses grow, and its stream says it fails",
    Effect.gen(function* () {
      const stream = yield* readyStream(yield* plugIn())
      for (let times = 0; times < 6; times++) {
        yield* untilReady(stream)
        yield* TestClock.adjust("1 second")
        yield* endPublisher({ code: 1 })
        yield* TestClock.adjust("1 milli")
      }
      assert.strictEqual(stateOf(stream)._tag, "Failing")
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(yield* running("publish"), 0)
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(yield* running("publish"), 1)
    })
  )

  onFakes(
    "with a defect of ours is started again like any other, and nobody waits for a stream that is dead",
    Effect.gen(function* () {
      const streams = yield* Streams
      const { programs } = yield* TestGround
      yield* programs.breakNextStart
      yield* programs.breakNextStart
      const stream = yield* streams.lease(yield* plugIn(), "viewer")
      yield* until(
        "the second failure",
        Effect.sync(() => stateOf(stream)._tag === "Failing")
      )
      assert.deepEqual(stateOf(stream), { _tag: "Failing", reason: "an internal error" })
      yield* untilReady(stream)
    })
  )
})

describe("an FFmpeg whose frames nobody had the time to see", () => {
  it.effect("is not taken for one that froze", () =>
    onTestGround(
      onStallingClock((stall) =>
        runFake(
          dataFolder,
          Effect.gen(function* () {
            const stream = yield* readyStream(yield* plugIn())
            // at each hundredth of a second between two looks, of which there are four a second
            for (let i = 0; i < 25; i++) {
              yield* TestClock.adjust("1010 millis")
              stall(4000)
            }
            assert.strictEqual(stateOf(stream)._tag, "Ready")
            assert.lengthOf(yield* children("publish"), 1)
          })
        )
      )
    )
  )
})

describe("an FFmpeg that gives nothing", () => {
  onFakes(
    "is given up after the time a start may take, and whoever waits hears why",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ neverReady: true })
      const stream = yield* streams.lease(yield* plugIn(), "viewer")
      yield* until(
        "FFmpeg",
        Effect.map(running("publish"), ([child]) => child)
      )
      const waiting = yield* Effect.forkChild(Effect.flip(streams.awaitReady(stream)), { startImmediately: true })
      const before = yield* Clock.currentTimeMillis
      yield* TestClock.adjust("10 seconds")
      const failure = yield* Fiber.join(waiting)
      assert.strictEqual((yield* Clock.currentTimeMillis) - before, 10_000)
      assert.deepInclude(failure, { dependency: "ffmpeg", detail: "the stream did not start in time" })
      yield* TestClock.adjust("1 seconds")
      assert.deepInclude(stateOf(stream), { reason: "no frame for 10 s" })
      assert.lengthOf(yield* children("publish"), 2)
    })
  )

  onFakes(
    "and ignores signals is gone within 6 s after its last need",
    Effect.gen(function* () {
      yield* disturb({ stubborn: true })
      const scope = yield* Scope.make()
      yield* readyStream(yield* plugIn()).pipe(Scope.provide(scope))
      yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 seconds")
      assert.lengthOf(yield* running("publish"), 1)
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(yield* running("publish"), 0)
    }),
    { streams: { viewer_linger_seconds: 0 } }
  )

  onFakes(
    "never lives beside its successor",
    Effect.gen(function* () {
      const { mostAtOnce } = (yield* TestGround).ffmpeg
      yield* disturb({ stubborn: true })
      const streams = yield* Streams
      const camera = yield* plugIn()
      for (let i = 0; i < 5; i++) {
        const scope = yield* Scope.make()
        yield* readyStream(camera).pipe(Scope.provide(scope))
        yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* TestClock.adjust("1 seconds")
      }
      yield* disturb({ stubborn: false })
      yield* untilReady(yield* streams.lease(camera, "viewer"))
      assert.lengthOf(yield* children("publish"), 6)
      assert.strictEqual(mostAtOnce(), 1)
    }),
    { streams: { viewer_linger_seconds: 0 } }
  )
})

describe("a MediaMTX that is away", () => {
  onFakes(
    "has FFmpeg started only when it is back and has the path",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* plugIn()
      yield* takeMediaMtx
      const stream = yield* streams.lease(camera, "viewer")
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* children("publish"), 0)
      yield* bringMediaMtx
      yield* untilReady(stream)
      assert.lengthOf(yield* children("publish"), 1)
    })
  )

  onFakes(
    "takes nothing from what is shown of the stream's times",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* plugIn()
      assert.isUndefined(streams.lastStart(camera))
      yield* TestClock.adjust("5 seconds")
      const before = yield* now
      const stream = yield* Effect.scoped(readyStream(camera))
      assert.strictEqual(streams.lastStart(camera), before.wall)
      assert.deepEqual(stream.startedAt, before)
      assert.deepEqual(streams.all(), [stream])
    })
  )
})
