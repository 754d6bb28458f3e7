import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { makeEndLog } from "../../src/telemetry/EndLog.ts"
import { listening } from "../support/Log.ts"

const crash = { detail: "MediaMTX ended with status 2: goroutine 17: panic", steady: false }

/** Ends as they come, and what of them came to the log. */
const bench = () => {
  const { layer, lines } = listening()
  const { ended, isOver } = makeEndLog(
    (detail) => Effect.annotateLogs(Effect.logWarning("MediaMTX ended"), { detail }),
    "1 minute"
  )
  return {
    said: () => lines.map(({ detail, message }) => detail ?? message),
    isOver: Effect.provide(isOver("it works again"), layer),
    ended: (end: typeof crash) => Effect.provide(ended(end), layer)
  }
}

describe("the end of a MediaMTX", () => {
  it.effect("is said once where it ends again and again, and then once a minute with how often that was", () =>
    Effect.gen(function* () {
      const { ended, said } = bench()
      assert.strictEqual(yield* ended({ ...crash, steady: true }), crash.detail)
      for (let n = 1; n <= 40; n++) {
        yield* TestClock.adjust("1500 millis")
        const detail = `MediaMTX ended with status 2: goroutine ${17 + n}: panic`
        const told = `${detail}; it has ended ${n + 1} times within ${Math.round(n * 1.5)} s`
        assert.strictEqual(yield* ended({ ...crash, detail }), told)
      }
      const last = "MediaMTX ended with status 2: goroutine 57: panic; it has ended 41 times within 60 s"
      assert.deepEqual(said(), [crash.detail, last])
    })
  )

  it.effect("is said at once where it has another reason", () =>
    Effect.gen(function* () {
      const { ended, said } = bench()
      yield* ended({ ...crash, steady: true })
      yield* TestClock.adjust("1 second")
      yield* ended({ ...crash, detail: "its port is taken" })
      assert.deepEqual(said(), [crash.detail, "its port is taken; it has ended 2 times within 1 s"])
    })
  )

  it.effect("is said at once, and counted anew, where it had run for a while", () =>
    Effect.gen(function* () {
      const { ended, said } = bench()
      for (let n = 0; n < 3; n++) {
        yield* ended({ ...crash, steady: true })
        yield* TestClock.adjust("11 seconds")
      }
      assert.deepEqual(said(), [crash.detail, crash.detail, crash.detail])
    })
  )

  it.effect("is said to be over once, and the next is the first again", () =>
    Effect.gen(function* () {
      const { ended, isOver, said } = bench()
      yield* isOver
      for (let n = 0; n < 3; n++) yield* ended(crash)
      yield* isOver
      yield* isOver
      yield* ended(crash)
      assert.deepEqual(said(), [crash.detail, "it works again", crash.detail])
    })
  )

  it.effect("is said once a minute for each of its reasons where they take turns", () =>
    Effect.gen(function* () {
      const { ended, said } = bench()
      const taken = {
        detail: "MediaMTX ended with status 1: listen tcp :8554: bind: address already in use",
        steady: false
      }
      for (let n = 0; n < 40; n++) {
        yield* ended({ ...(n % 2 === 0 ? crash : taken), steady: n === 0 })
        yield* TestClock.adjust("1500 millis")
      }
      assert.lengthOf(said(), 2)
      yield* ended(crash)
      yield* TestClock.adjust("1500 millis")
      yield* ended(taken)
      assert.lengthOf(said(), 4)
    })
  )

  it.effect("is said at once where its status is another one", () =>
    Effect.gen(function* () {
      const { ended, said } = bench()
      yield* ended({ detail: "MediaMTX ended with status 1", steady: true })
      yield* ended({ detail: "MediaMTX ended with status 2", steady: false })
      assert.deepEqual(said(), [
        "MediaMTX ended with status 1",
        "MediaMTX ended with status 2; it has ended 2 times within 0 s"
      ])
    })
  )

  it.effect("is said once a minute too where it has more reasons than are remembered", () =>
    Effect.gen(function* () {
      const { ended, said } = bench()
      const word = (n: number) => "x".repeat(n + 1)
      for (let n = 0; n < 100; n++) yield* ended({ detail: word(n), steady: n === 0 })
      const count = said().length
      for (let n = 0; n < 100; n++) yield* ended({ detail: word(n), steady: false })
      assert.isAtMost(count, 20)
      assert.lengthOf(said(), count)
    })
  )
})
