import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import { makeFacts } from "../../src/facts/Facts.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import type { MediaMtxState } from "../../src/process/MediaMtxStates.ts"
import { MediaMtxApi, MediaMtxUnavailable } from "../../src/process/MediaMtxApi.ts"
import { awaitTrouble } from "../../src/process/MediaMtxTrouble.ts"
import type { RecorderFailed } from "../../src/process/RecorderFailure.ts"

/** A call that waits for a MediaMTX in this state, whose API is not there. */
const waiting = Effect.fnUntraced(function* (now: MediaMtxState) {
  const state = yield* SubscriptionRef.make(now)
  const context = yield* Layer.build(
    Layer.merge(
      Layer.mock(MediaMtx, { state, works: Effect.succeed(false), facts: yield* makeFacts<RecorderFailed>() }),
      Layer.mock(MediaMtxApi, { info: Effect.fail(new MediaMtxUnavailable({ detail: "connect ECONNREFUSED" })) })
    )
  )
  const trouble = awaitTrouble(Context.get(context, MediaMtx), Context.get(context, MediaMtxApi))
  return { state, trouble: yield* Effect.forkChild(trouble, { startImmediately: true }) }
})

describe("whoever needs MediaMTX", () => {
  const states = [
    ["starts for the first time", { _tag: "Starting", generation: 0 }, 5000, "MediaMTX is starting"],
    ["could not start the first time", { _tag: "Stopped", generation: 0 }, 5000, "MediaMTX is stopped"],
    ["starts again", { _tag: "Starting", generation: 1 }, 700, "MediaMTX is starting"]
  ] as const
  for (const [what, state, millis, told] of states) {
    it.effect(`that ${what} waits ${millis} ms for it, and hears then that it is not there`, () =>
      Effect.gen(function* () {
        const { trouble } = yield* waiting(state)
        yield* TestClock.adjust(millis - 1)
        assert.isUndefined(trouble.pollUnsafe())
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* Fiber.join(trouble), told)
      })
    )
  }

  it.effect("that starts for the first time hears of no trouble where it runs in time", () =>
    Effect.gen(function* () {
      const { state, trouble } = yield* waiting({ _tag: "Starting", generation: 0 })
      yield* TestClock.adjust("4 seconds")
      yield* SubscriptionRef.set(state, { _tag: "Running", generation: 1 })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(trouble.pollUnsafe())
    })
  )

  it.effect("that fails its first start hears of no trouble where its second one runs in time", () =>
    Effect.gen(function* () {
      const { state, trouble } = yield* waiting({ _tag: "Stopped", generation: 0 })
      yield* TestClock.adjust("1 second")
      yield* SubscriptionRef.set(state, { _tag: "Starting", generation: 0 })
      yield* TestClock.adjust("3 seconds")
      yield* SubscriptionRef.set(state, { _tag: "Running", generation: 1 })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(trouble.pollUnsafe())
    })
  )
})
