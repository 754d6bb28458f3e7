import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { asTimePasses, record, start, stop } from "../suites/recordings.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"

const pass = Effect.fnUntraced(function* (milliseconds: number) {
  for (let i = 0; i < milliseconds / 10; i++) yield* Effect.andThen(TestClock.adjust("10 millis"), settle)
})

const isSync = (call: string): boolean => /^sync .*\.mp4$/.test(call)

describe("a file that is being recorded", () => {
  onFakes(
    "is synced twice a second, and its name once",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const calls = yield* (yield* TestGround).disk.calls
      yield* record(yield* start({ camera }))
      yield* until(
        "its name's sync",
        Effect.sync(() => calls.some((call) => call.endsWith("/recordings") && call.startsWith("sync")))
      )
      const before = calls.length
      yield* pass(3000)
      const meanwhile = calls.slice(before).filter((call) => call.startsWith("sync"))
      assert.isTrue(meanwhile.every(isSync), String(meanwhile))
      assert.closeTo(meanwhile.length, 6, 1)
    })
  )

  onFakes(
    "that the disk fails to sync is not synced again: its end tells that it may not outlive a power cut",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      yield* record(recording)
      const failing = yield* disk.suffer({ name: "sync fails", at: ".mp4" })
      yield* asTimePasses(failing.met)
      yield* failing.takeBack
      const calls = yield* disk.calls
      yield* pass(2000)
      assert.deepEqual(calls.filter(isSync), [])
      const { reason } = yield* stop(camera)
      assert.strictEqual(
        reason,
        "a file may not outlive a power cut: cannot sync the recording: the disk reports an error"
      )
    })
  )
})
