import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import { listening } from "../support/Log.ts"
import { bench } from "./MediaMtxBench.ts"

describe("the operator's MediaMTX", () => {
  it.effect("is waited for, watched, and waited for again", () =>
    Effect.gen(function* () {
      const { next, set, started } = yield* bench(false)
      assert.include((yield* next("Starting")).detail, "no answer yet")
      set("1")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Running")).generation, 1)
      set(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its API does not answer")
      set("1")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Running")).generation, 2)
      set("2")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Running")).generation, 3)
      assert.strictEqual(yield* Queue.size(started), 0)
    })
  )

  it.effect(
    "that is replaced by one too old is stopped, said once, and looked at less and less often, up to 30 s",
    () => {
      const { layer, lines } = listening()
      return Effect.gen(function* () {
        const { fatal, next, set, waiting } = yield* bench(false)
        const end = yield* Effect.forkChild(fatal)
        set("1")
        yield* next("Running")
        set("2", "v1.19.9")
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* next("Stopped")).detail, "it was started again")
        yield* TestClock.adjust("1 second")
        assert.include((yield* next("Stopped")).detail, "is too old (v1.19.9)")
        const said = lines.length
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* waiting, 0)
        assert.lengthOf(lines, said)
        assert.strictEqual(lines.filter(({ message }) => message.includes("cannot be used")).length, 1)
        set("3")
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* next("Running")).generation, 2)
        assert.isUndefined(end.pollUnsafe())
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("is told of in the log, once, and in health when it does not answer for 5 s, and runs once it does", () => {
    const { layer, lines } = listening()
    return Effect.gen(function* () {
      const { next, set } = yield* bench(false)
      yield* next("Starting")
      yield* TestClock.adjust("4 seconds")
      assert.lengthOf(lines, 0)
      yield* TestClock.adjust("4 seconds")
      assert.match((yield* next("Stopped")).detail ?? "", /^its API on 127\.0\.0\.1:\d+: /u)
      yield* TestClock.adjust("60 seconds")
      assert.lengthOf(lines, 1)
      assert.include(lines[0]?.["settings"], "mediamtx.api_port")
      set("1")
      yield* TestClock.adjust("2 seconds")
      yield* next("Running")
    }).pipe(Effect.provide(layer))
  })
})
