import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { keepTold, toldReload } from "../../src/cli/Managed.ts"
import { Loopback, NoReply } from "../../src/ground/Loopback.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { onFakes, plugIn, takeMediaMtx } from "../support/App.ts"
import { until } from "../support/Ground.ts"

/** A service manager, and what it was told. */
const makeManager = (watchdog?: Duration.Duration) => {
  const told: Array<string> = []
  return {
    told,
    count: (assignment: string) => told.filter((one) => one === assignment).length,
    manager: {
      watchdog,
      tell: (...assignments: ReadonlyArray<string>) => Effect.sync(() => told.push(...assignments) > 0)
    }
  }
}

const said = (told: ReadonlyArray<string>, line: string) =>
  until(
    line,
    Effect.sync(() => told.at(-1) === line)
  )

describe("a service manager", () => {
  onFakes(
    "is told that the service is ready, once, and how it is each time that changes",
    Effect.gen(function* () {
      const { count, manager, told } = makeManager()
      yield* keepTold(manager)
      yield* said(told, "STATUS=0 cameras, 0 recordings")
      yield* plugIn()
      yield* said(told, "STATUS=1 camera, 0 recordings")
      const recordings = yield* Recordings
      yield* asTimePasses(recordings.start({ camera: "camera0", format: "fmp4" }))
      yield* said(told, "STATUS=1 camera, 1 recording")
      yield* asTimePasses(recordings.stop("camera0"))
      yield* said(told, "STATUS=1 camera, 0 recordings")
      assert.strictEqual(count("READY=1"), 1)
    })
  )

  onFakes(
    "is told what is wrong, in one line",
    Effect.gen(function* () {
      const { manager, told } = makeManager()
      yield* keepTold(manager)
      yield* takeMediaMtx
      yield* until(
        "it is told",
        Effect.sync(() => told.at(-1)?.startsWith("STATUS=0 cameras, 0 recordings; UNHEALTHY: MediaMTX") === true)
      )
    })
  )

  onFakes(
    "hears that the service lives only while that answers for its health",
    Effect.gen(function* () {
      const { count, manager } = makeManager(Duration.seconds(20))
      let answers = true
      const asked: Array<string> = []
      const loopback = Loopback.of({
        ...(yield* Loopback),
        json: () =>
          Effect.succeed(({ path }) =>
            Effect.suspend(() => {
              asked.push(path)
              return answers ? Effect.succeed({ status: 200, body: {} }) : Effect.never
            })
          )
      })
      yield* Effect.provideService(keepTold(manager), Loopback, loopback)
      yield* until(
        "the first sign of life",
        Effect.sync(() => count("WATCHDOG=1") === 1)
      )
      for (let i = 0; i < 2; i++) yield* TestClock.adjust("5 seconds")
      assert.strictEqual(count("WATCHDOG=1"), 3)
      answers = false
      const before = asked.length
      for (let i = 0; i < 12; i++) yield* TestClock.adjust("5 seconds")
      assert.isAbove(asked.length, before + 3)
      assert.strictEqual(count("WATCHDOG=1"), 3)
      answers = true
      for (let i = 0; i < 2; i++) yield* TestClock.adjust("5 seconds")
      assert.isAbove(count("WATCHDOG=1"), 3)
    })
  )

  onFakes(
    "is told no sign of life by a service that refuses connections, or is dead in its own words",
    Effect.gen(function* () {
      const { count, manager } = makeManager(Duration.seconds(20))
      const replies = [Effect.fail(new NoReply({ detail: "refused" })), Effect.succeed({ status: 503, body: {} })]
      const real = yield* Loopback
      for (const reply of replies) {
        const loopback = Loopback.of({ ...real, json: () => Effect.succeed(() => reply) })
        yield* Effect.provideService(keepTold(manager), Loopback, loopback)
      }
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(count("WATCHDOG=1"), 0)
    })
  )

  it.effect("knows when a reload begins, by its own clock, and that it is over, also when it failed", () =>
    Effect.gen(function* () {
      const { manager, told } = makeManager()
      yield* TestClock.adjust("5 seconds")
      yield* Effect.exit(toldReload(manager)(Effect.die("no")))
      assert.deepStrictEqual(told, ["RELOADING=1", "MONOTONIC_USEC=5000000", "READY=1"])
    })
  )
})
