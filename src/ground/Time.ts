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

/** A moment on both clocks: `wall` (epoch milliseconds) is told, `monotonic` (milliseconds) is counted from. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export const now: Effect.Effect<Moment> = Effect.zipWith(
  Clock.currentTimeMillis,
  monotonicMillis,
  (wall, monotonic) => ({ wall, monotonic })
)

/** The same for who stamps what happens, at once. */
export const moments: Effect.Effect<() => Moment> = Effect.map(Clock.Clock, (clock) => () => ({
  wall: clock.currentTimeMillisUnsafe(),
  monotonic: Number(clock.monotonicTimeNanosUnsafe()) / 1e6
}))

/** Milliseconds that have passed since. */
export const millisSince = ({ monotonic }: Moment): Effect.Effect<number> =>
  Effect.map(monotonicMillis, (millis) => millis - monotonic)

/** Milliseconds of the monotonic clock, for who asks again and again in one go. */
export const monotonicNow: Effect.Effect<() => number> = Effect.map(
  Clock.Clock,
  (clock) => () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
)

export const dayMillis = 86_400_000

/** Milliseconds as the wire has them: seconds with three decimals. */
export const toSeconds = (millis: number): number => Math.round(millis) / 1000

/** ISO 8601 in UTC, from epoch milliseconds. */
export const isoTime = (epochMillis: number): string => new Date(epochMillis).toISOString()
