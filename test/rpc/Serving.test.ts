import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Health } from "../../src/health/Health.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import * as Serving from "../../src/rpc/Serving.ts"
import * as Served from "../../src/self/Served.ts"

const health = Layer.mock(Health, {
  serving: () => Effect.void,
  now: () => assert.fail("nobody asks"),
  components: () => assert.fail("nobody asks"),
  startedAt: { wall: 0, monotonic: 0 },
  facts: { follow: () => Effect.void, followFirst: () => Effect.void, tellIn: () => Effect.void }
})
const recordings = Layer.mock(Recordings, {
  end: Effect.void,
  now: () => assert.fail("nobody asks"),
  facts: { follow: () => Effect.void, followFirst: () => Effect.void, tellIn: () => Effect.void }
})
const serving = Serving.layer.pipe(Layer.provideMerge(Served.layer), Layer.provide([health, recordings]))
/** Something that takes a processor, and is of no use to the first clients. */
const heavy = Effect.flatMap(Served.Served, (served) => Effect.forkScoped(served.await))

describe("what takes a processor", () => {
  it.effect("waits until the first clients had their head start", () =>
    Effect.gen(function* () {
      const work = yield* heavy
      yield* TestClock.adjust("29 millis")
      assert.isUndefined(work.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(work)
    }).pipe(Effect.provide(serving), Effect.provideService(Served.HeadStart, "30 millis"))
  )

  it.effect("begins at once where nobody has one", () =>
    Effect.flatMap(heavy, Fiber.join).pipe(Effect.scoped, Effect.provide(serving))
  )
})
