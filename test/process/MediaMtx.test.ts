import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import { bench } from "./MediaMtxBench.ts"

describe("our MediaMTX", () => {
  it.effect("is told how much memory it may have before it works to need less", () =>
    Effect.gen(function* () {
      const { started } = yield* bench(true)
      assert.deepInclude((yield* Queue.take(started)).env, { GOMEMLIMIT: "256MiB", TZ: "UTC" })
    })
  )

  it.effect("is replaced when it is there but does not answer", () =>
    Effect.gen(function* () {
      const { comesUp, next, set, started } = yield* bench(true)
      yield* Queue.take(started)
      assert.strictEqual((yield* comesUp("1")).generation, 1)
      set(false)
      yield* TestClock.adjust("12 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its API does not answer")
      yield* Queue.take(started)
      set("2")
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* next("Running")).generation, 2)
    })
  )

  it.effect("that works, and has no time to answer, is not replaced for a minute", () =>
    Effect.gen(function* () {
      const { comesUp, next, set, started, work } = yield* bench(true)
      yield* Queue.take(started)
      yield* comesUp("1")
      set(false)
      work(true)
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual((yield* next("Running")).silence, "working")
      assert.strictEqual(yield* Queue.size(started), 0)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its API does not answer")
    })
  )

  it.effect("that is slow once is left in peace", () =>
    Effect.gen(function* () {
      const { comesUp, set, started } = yield* bench(true)
      yield* Queue.take(started)
      yield* comesUp("1")
      for (let i = 0; i < 5; i++) {
        set(false)
        yield* TestClock.adjust("6 seconds")
        set("1")
        yield* TestClock.adjust("6 seconds")
      }
      assert.strictEqual(yield* Queue.size(started), 0)
    })
  )

  it.effect("that somebody has changed the configuration of is started anew, with ours", () =>
    Effect.gen(function* () {
      const { change, comesUp, next, started } = yield* bench(true)
      yield* Queue.take(started)
      yield* comesUp("1")
      change()
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its configuration was changed")
      yield* Queue.take(started)
    })
  )

  it.effect("is shown no key while another program has its port", () =>
    Effect.gen(function* () {
      const { comesUp, listen, set, started } = yield* bench(true)
      listen(false)
      yield* Queue.take(started)
      set("another's")
      yield* TestClock.adjust("10 seconds")
      listen(true)
      assert.strictEqual((yield* comesUp("ours")).generation, 1)
    })
  )

  it.effect("that takes no viewers any more, for want of descriptors, is replaced", () =>
    Effect.gen(function* () {
      const { comesUp, next, set, started } = yield* bench(true)
      const process = yield* Queue.take(started)
      yield* comesUp("1")
      yield* process.say("2026/11/30 10:00:00 WAR [HLS] accept tcp 127.0.0.1:8888: too many open files; retrying\n")
      yield* process.say("2026/11/30 10:00:00 ERR [RTSP] accept tcp 127.0.0.1:8554: accept4: too many open files\n")
      assert.strictEqual((yield* next("Stopped")).detail, "it takes no viewers any more: too many open files")
      yield* TestClock.adjust("1 second")
      yield* Queue.take(started)
      set("2")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* next("Running")).generation, 2)
    })
  )
})
