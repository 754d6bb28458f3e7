import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { hlsDelay } from "../../src/console/live/Delay.ts"

/** A tile that is watched for 9 min, of a camera that answers so, one time after the other; the last answer stays. */
const watched = Effect.fnUntraced(function* (...answers: ReadonlyArray<number | undefined>) {
  let asked = 0
  const told: Array<number> = []
  const ask = Effect.sync(() => answers[Math.min(asked++, answers.length - 1)])
  const show = hlsDelay(
    () => new Date(0),
    () => 1000,
    ask,
    ({ isWhole, total }) => told.push(isWhole ? total : Number.NaN)
  )
  yield* Effect.forkChild(show, { startImmediately: true })
  yield* TestClock.adjust("9 minutes")
  return { asked, told }
})

describe("how old a live picture is", () => {
  it.effect("is told every 5 s, and the camera asked for its part every 10 s", () =>
    Effect.gen(function* () {
      const { asked, told } = yield* watched(50)
      assert.deepEqual([told.length, asked], [109, 55])
      assert.deepEqual([...new Set(told)], [1050])
    })
  )

  it.effect("asks a camera seldom that does not know its part", () =>
    Effect.gen(function* () {
      const { asked, told } = yield* watched(undefined)
      assert.lengthOf(told, 109)
      assert.isAtMost(asked, 15)
    })
  )

  it.effect("is whole 5 s later where the camera does not know its part at first", () =>
    Effect.gen(function* () {
      const { told } = yield* watched(undefined, 50)
      assert.deepEqual(told.slice(0, 4), [Number.NaN, 1050, 1050, 1050])
    })
  )
})
