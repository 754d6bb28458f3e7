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

export const hour = 3_600_000
