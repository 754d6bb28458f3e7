import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { monotonicNow } from "../../src/ground/Time.ts"
import { Trials } from "../../src/rtsp/Trials.ts"

const make = Effect.map(monotonicNow, (now) => new Trials(now))
const fiveMinutes = 300_000

describe("a password at one camera", () => {
  it.effect("is shown twice, whoever shows it, and again after five minutes", () =>
    Effect.gen(function* () {
      const trials = yield* make
      for (const wait of ["1 minute", "0 seconds"] as const) {
        const trial = yield* trials.begin
        trial?.refused()
        yield* TestClock.adjust(wait)
      }
      assert.isUndefined(yield* trials.begin)
      assert.strictEqual(trials.pause(), fiveMinutes)
      yield* TestClock.adjust(fiveMinutes - 1)
      assert.isUndefined(yield* trials.begin)
      yield* TestClock.adjust(1)
      assert.isDefined(yield* trials.begin)
    })
  )

  it.effect("is shown by two at once; a third waits for their answers, and shows it where it is taken", () =>
    Effect.gen(function* () {
      const trials = yield* make
      const [one, other] = [yield* trials.begin, yield* trials.begin]
      const third = yield* Effect.forkChild(trials.begin, { startImmediately: true })
      assert.isUndefined(third.pollUnsafe())
      one?.taken()
      assert.isDefined(yield* Fiber.join(third))
      other?.taken()
      assert.strictEqual(trials.pause(), 0)
    })
  )

  it.effect("is shown by no third where two at once are refused, however many wait", () =>
    Effect.gen(function* () {
      const trials = yield* make
      const shown = [yield* trials.begin, yield* trials.begin]
      const others = yield* Effect.forEach(Array.from({ length: 8 }), () =>
        Effect.forkChild(trials.begin, { startImmediately: true })
      )
      for (const trial of shown) trial?.refused()
      for (const other of others) assert.isUndefined(yield* Fiber.join(other))
    })
  )

  it.effect("that was neither taken nor refused does not count, nor one that nobody answers", () =>
    Effect.gen(function* () {
      const trials = yield* make
      for (let times = 0; times < 10; times++) (yield* trials.begin)?.void()
      yield* trials.begin
      yield* trials.begin
      const third = yield* Effect.forkChild(trials.begin, { startImmediately: true })
      yield* TestClock.adjust("12 seconds")
      assert.isDefined(yield* Fiber.join(third))
    })
  )

  it.effect("that is taken in the end, another way than it was shown first, is shown as often as it is needed", () =>
    Effect.gen(function* () {
      const trials = yield* make
      for (let times = 0; times < 10; times++) {
        const first = yield* trials.begin
        first?.refused()
        const second = yield* trials.begin
        assert.isDefined(second)
        second?.taken()
        // its first word counts
        second?.refused()
      }
    })
  )

  it.effect("that was taken and is refused counts as well", () =>
    Effect.gen(function* () {
      const trials = yield* make
      trials.lost()
      trials.lost()
      assert.isUndefined(yield* trials.begin)
    })
  )
})
