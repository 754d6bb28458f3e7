import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { threadsIdle } from "./OtherThreads.ts"

/** What the played programs count by is five times as long. */
const tick = "20 millis"

/** What one thing leads to takes a turn of Node's loop each; all of it has happened before the clock goes on. */
const turns = 10
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

export const settle = Effect.gen(function* () {
  for (let i = 0; i < turns; i++) {
    yield* turn
    yield* threadsIdle
  }
})

/** Lets a little of the test's time pass. */
export const step = Effect.andThen(TestClock.adjust(tick), settle)

/** Does something while the test's clock goes on, until it is done. */
export const asTimePasses = Effect.fnUntraced(function* <A, E, R>(doing: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(doing, { startImmediately: true })
  while (fiber.pollUnsafe() === undefined) yield* step
  return yield* Fiber.join(fiber)
})
