import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { step } from "../../testing/PassingTime.ts"
import { onSettableClock } from "../support/WallClock.ts"
import {
  aMinuteLater,
  anHourLater,
  day,
  folderIsThere,
  gigabytes,
  left,
  onMemory,
  put,
  start,
  started
} from "./RetentionBench.ts"

describe("a clock that may be wrong", () => {
  onMemory(
    "years ahead at the start deletes nothing for its age before somebody has set it, nor when it is so again",
    onSettableClock((set) =>
      Effect.gen(function* () {
        yield* folderIsThere
        const kept = [yield* put("camera0", 0, 10), yield* put("camera1", 1, 10)]
        set(4000 * day)
        const { doubts } = yield* started({ max_age_days: 30 })
        yield* TestClock.adjust("59 minutes")
        yield* step
        assert.deepEqual(yield* left(), kept)
        assert.strictEqual(doubts(), 1)
        set(-4000 * day)
        yield* anHourLater
        yield* anHourLater
        assert.deepEqual(yield* left(), kept)
        assert.strictEqual(doubts(), 1)
        set(4000 * day)
        yield* aMinuteLater
        assert.deepEqual(yield* left(), kept)
        assert.strictEqual(doubts(), 2)
      })
    )
  )

  onMemory(
    "set by more than a day deletes nothing for its age for an hour",
    onSettableClock((set) =>
      Effect.gen(function* () {
        yield* folderIsThere
        const kept = yield* put("camera0", 0, 10)
        const { doubts } = yield* started({ max_age_days: 30 })
        yield* anHourLater
        set(31 * day)
        yield* aMinuteLater
        assert.deepEqual(yield* left(), [kept])
        yield* TestClock.adjust("58 minutes")
        yield* step
        assert.deepEqual(yield* left(), [kept])
        assert.strictEqual(doubts(), 1)
        yield* TestClock.adjust("2 minutes")
        yield* step
        assert.deepEqual(yield* left(), [])
      })
    )
  )

  onMemory(
    "set by less is trusted",
    onSettableClock((set) =>
      Effect.gen(function* () {
        yield* folderIsThere
        yield* put("camera0", 0, 10)
        const { doubts } = yield* started({ max_age_days: 0.5 })
        yield* anHourLater
        set(0.9 * day)
        yield* aMinuteLater
        assert.deepEqual(yield* left(), [])
        assert.strictEqual(doubts(), 0)
      })
    )
  )

  onMemory(
    "is believed by who asks for a cleanup, and says nothing of size",
    Effect.gen(function* () {
      yield* folderIsThere
      yield* put("camera0", 0, 100)
      const second = yield* put("camera0", 1, 100)
      yield* TestClock.setTime(start + 4000 * day)
      const { cleanUp } = yield* started({ max_age_days: 30, max_size_gb: gigabytes(150) })
      yield* aMinuteLater
      assert.deepEqual(yield* left(), [second])
      assert.deepInclude(yield* cleanUp, { files: 1, reasons: { age: 1, size: 0, room: 0 } })
    })
  )
})
