import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Runs the body on a clock whose wall time alone can be set, by milliseconds: as at the first contact by NTP. */
export const onSettableClock = <A, E, R>(body: (set: (by: number) => void) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    let jump = 0
    return Effect.provideService(
      body((by) => {
        jump += by
      }),
      Clock.Clock,
      {
        ...clock,
        currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + jump),
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + jump
      }
    )
  })

/**
 * Runs the body on a clock that can jump, by milliseconds: what a busy event loop makes of time. Nothing that came
 * meanwhile has been seen yet.
 */
export const onStallingClock = <A, E, R>(body: (stall: (millis: number) => void) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    let jump = 0n
    const nanos = () => clock.monotonicTimeNanosUnsafe() + jump
    return Effect.provideService(
      body((millis) => {
        jump += BigInt(millis) * 1_000_000n
      }),
      Clock.Clock,
      { ...clock, monotonicTimeNanos: Effect.sync(nanos), monotonicTimeNanosUnsafe: nanos }
    )
  })

export const hour = 3_600_000
