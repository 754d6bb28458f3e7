import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { dataFolder, onTestGround, runFake } from "../support/App.ts"
import { frozenCamera } from "../support/Story.ts"

const story = onTestGround(runFake(dataFolder, frozenCamera)).pipe(Effect.provide(TestClock.layer()))

describe("the test ground", () => {
  it.effect("carries the whole service through the story of a camera that freezes while it is recorded", () =>
    Effect.gen(function* () {
      const told = yield* story
      assert.deepInclude(told.fault, { device: "camera0", status: "ERROR" })
      assert.deepEqual(told.statuses, ["STARTING", "RECORDING", "ERROR", "STOPPED"])
      assert.deepInclude(told.stopped, { device: "camera0", status: "STOPPED" })
    })
  )

  it.effect("tells the same story each time, to the byte", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* story, yield* story)
    })
  )
})
