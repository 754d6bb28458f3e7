import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * Milliseconds of the monotonic clock, with a fraction: for how long something took, or is to take. The wall clock is set
 * while we run (by hours, where a box has no battery for it): it names and stamps, and nothing is counted by it.
 */
export const monotonicMillis: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos) / 1e6
)
