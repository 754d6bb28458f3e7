import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { makeStates } from "../../src/process/MediaMtxStates.ts"

it.effect("a MediaMTX that ends before it runs stays stopped, however often it is started, until it runs", () =>
  Effect.gen(function* () {
    const { running, starting, state, stopped } = yield* makeStates(undefined)
    const now = SubscriptionRef.get(state)
    yield* running
    yield* stopped("it was killed")
    yield* starting
    assert.deepInclude(yield* now, { _tag: "Starting", detail: "it was killed" })
    for (const detail of ["status 1", "status 1, twice"]) {
      yield* stopped(detail)
      yield* starting
      assert.deepInclude(yield* now, { _tag: "Stopped", detail })
    }
    yield* running
    assert.deepEqual(yield* now, { _tag: "Running", generation: 2 })
    yield* stopped("it was killed")
    yield* starting
    assert.deepInclude(yield* now, { _tag: "Starting", detail: "it was killed" })
  })
)
