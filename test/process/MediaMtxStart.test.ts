import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import { bench } from "./MediaMtxBench.ts"

/** One that has run and has ended; `end`: what the service would end of. */
const ended = Effect.gen(function* () {
  const mediaMtx = yield* bench(true)
  const end = yield* Effect.forkChild(mediaMtx.fatal)
  const process = yield* Queue.take(mediaMtx.started)
  yield* mediaMtx.comesUp("1")
  mediaMtx.set(undefined)
  yield* process.end(1)
  yield* mediaMtx.next("Stopped")
  return { ...mediaMtx, end }
})

describe("our MediaMTX", () => {
  it.effect.each([
    [false, 17, 19],
    [true, 85, 95]
  ] as const)("that has never answered (it works: %s) is waited for, and started anew", ([isBusy, waited, over]) =>
    Effect.gen(function* () {
      const { comesUp, next, started, work } = yield* bench(true)
      work(isBusy)
      yield* Queue.take(started)
      yield* TestClock.adjust(waited * 1000)
      assert.strictEqual(yield* Queue.size(started), 0)
      yield* TestClock.adjust((over - waited) * 1000)
      assert.strictEqual((yield* next("Stopped")).detail, "it has not answered since it was started")
      yield* TestClock.adjust("1 second")
      yield* Queue.take(started)
      assert.strictEqual((yield* comesUp("1")).generation, 1)
    })
  )

  it.effect("that ends again and again is started less and less often", () =>
    Effect.gen(function* () {
      const { next, started } = yield* bench(true)
      for (const atLeast of [80, 240, 720, 2160, 4000, 4000]) {
        const process = yield* Queue.take(started)
        yield* process.end(1, { stdout: "ERR: out of luck" })
        const asked = yield* Queue.take(started)
        assert.include(asked.argv, "--version")
        yield* asked.end(0, { stdout: "v1.21.0\n" })
        assert.include((yield* next("Stopped")).detail, "out of luck")
        yield* TestClock.adjust(atLeast - 1)
        assert.strictEqual(yield* Queue.size(started), 0)
        yield* TestClock.adjust(atLeast)
      }
    })
  )
})

describe("our MediaMTX that did not start", () => {
  it.effect("is told to start once the next start lasts, and to be stopped when that ends too", () =>
    Effect.gen(function* () {
      const { comesUp, next, started, startedAgain, waiting } = yield* bench(true)
      const failed = (process: { readonly end: (code: number) => Effect.Effect<void> }) =>
        Effect.gen(function* () {
          yield* process.end(1)
          yield* Effect.flatMap(Queue.take(started), (asked) => asked.end(0, { stdout: "v1.21.0\n" }))
          yield* next("Stopped")
        })
      yield* failed(yield* Queue.take(started))
      const second = yield* startedAgain
      yield* TestClock.adjust("800 millis")
      assert.strictEqual(yield* waiting, 0)
      yield* TestClock.adjust("200 millis")
      yield* next("Starting")
      yield* failed(second)
      yield* startedAgain
      yield* TestClock.adjust("1 second")
      yield* next("Starting")
      yield* comesUp("1")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* waiting, 0)
    })
  )
})

describe("our MediaMTX that does not start", () => {
  const lastWords = [
    ["ERR couldn't initialize inotify: too many open files", "raise fs.inotify.max_user_instances (sysctl)"],
    ["ERR no space left on device", "raise fs.inotify.max_user_watches (sysctl)"],
    ["ERR something else", "MediaMTX ended with status 1: ERR something else"]
  ] as const
  for (const [words, told] of lastWords) {
    it.effect(`with "${words}" is said to have ended for it: ${told}`, () =>
      Effect.gen(function* () {
        const { next, started } = yield* bench(true)
        const process = yield* Queue.take(started)
        const time = "2026/11/29 13:20:33"
        yield* process.end(1, { stdout: `${time} ${words}\n${time} INF waiting for running hooks\n` })
        yield* Effect.flatMap(Queue.take(started), (asked) => asked.end(0, { stdout: "v1.21.0\n" }))
        const { detail } = yield* next("Stopped")
        assert.include(detail, words)
        assert.include(detail, told)
      })
    )
  }
})

describe("our MediaMTX that the kernel does not start for want of descriptors", () => {
  it.effect("is said to want a higher limit, and is started once there are some", () =>
    Effect.gen(function* () {
      const { comesUp, fatal, next, refuse, startedAgain, started } = yield* bench(true)
      const end = yield* Effect.forkChild(fatal)
      refuse("EMFILE")
      yield* TestClock.adjust("1 second")
      assert.include((yield* next("Stopped")).detail, "LimitNOFILE=")
      assert.strictEqual(yield* Queue.size(started), 0)
      refuse(undefined)
      yield* startedAgain
      assert.strictEqual((yield* comesUp("1")).generation, 1)
      assert.isUndefined(end.pollUnsafe())
    })
  )
})

describe("our MediaMTX that cannot start", () => {
  const port = "2026/11/29 13:20:33 ERR listen tcp 127.0.0.1:8554: bind: address already in use\n"
  const reasons = [
    ["its port is taken", 1, port, 3, "PortInUse", "address already in use"],
    ["its program is not there", 127, "", 1, "ProgramMissing", "mediamtx is missing"]
  ] as const
  for (const [why, status, stdout, tries, tag, told] of reasons) {
    it.effect(`since ${why} is a reason for the service to end`, () =>
      Effect.gen(function* () {
        const { fatal, next, started } = yield* bench(true)
        for (let n = 0; n < tries; n++) {
          yield* Effect.flatMap(Queue.take(started), (process) => process.end(status, { stdout }))
          yield* next("Stopped")
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual((yield* Effect.flip(fatal))._tag, tag)
      })
    )

    it.effect(`since ${why} is waited for where it has run before`, () =>
      Effect.gen(function* () {
        const { comesUp, end, next, startedAgain } = yield* ended
        yield* Effect.flatMap(startedAgain, (process) => process.end(status, { stdout }))
        assert.include((yield* next("Stopped")).detail, told)
        for (let n = 0; n < 4; n++) {
          yield* Effect.flatMap(startedAgain, (process) => process.end(status, { stdout }))
        }
        yield* startedAgain
        assert.strictEqual((yield* comesUp("2")).generation, 2)
        assert.isUndefined(end.pollUnsafe())
      })
    )
  }
})

describe("a MediaMTX in whose place an older one was put", () => {
  it.effect("is waited for where it has run before: what does without it goes on", () =>
    Effect.gen(function* () {
      const { comesUp, end, next, startedAgain, waiting } = yield* ended
      const older = Effect.gen(function* () {
        yield* Effect.flatMap(startedAgain, (process) => process.end(1, { stdout: "ERR json: unknown field" }))
        yield* Effect.flatMap(startedAgain, (asked) => asked.end(0, { stdout: "v1.19.9\n" }))
      })
      yield* older
      assert.include((yield* next("Stopped")).detail, "is too old (v1.19.9)")
      for (let n = 0; n < 4; n++) yield* older
      yield* startedAgain
      assert.strictEqual(yield* waiting, 0)
      assert.isUndefined(end.pollUnsafe())
      assert.strictEqual((yield* comesUp("2")).generation, 2)
    })
  )
})
