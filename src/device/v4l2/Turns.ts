import * as Effect from "effect/Effect"
import { monotonicNow } from "../../ground/Time.ts"

/** The event loop is never kept for more than a millisecond. */
const turnMillis = 0.5

/** For long work without a pause: what it makes lets all others have their turn, once half a millisecond is over. */
export const makeTurns: Effect.Effect<Effect.Effect<void>> = Effect.map(monotonicNow, (now) => {
  let since = now()
  const pause = Effect.andThen(
    Effect.yieldNow,
    Effect.sync(() => {
      since = now()
    })
  )
  return Effect.suspend(() => (now() - since < turnMillis ? Effect.void : pause))
})
