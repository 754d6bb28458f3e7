import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * The test's clock, of which a test may set the wall clock alone (TestClock sets both): as an operator, or NTP, does on a
 * machine that runs on.
 */
export const withSetClock = <A, E, R>(
  run: (setBy: (millis: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(Clock.clockWith(Effect.succeed), (clock) => {
    let ahead = 0
    const set: Clock.Clock = {
      // TestClock's own methods too: it is looked for under this name
      ...clock,
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + ahead,
      currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + ahead),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(ahead) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => clock.currentTimeNanosUnsafe() + BigInt(ahead) * 1_000_000n)
    }
    const setBy = (millis: number) =>
      Effect.sync(() => {
        ahead += millis
      })
    return Effect.provideService(run(setBy), Clock.Clock, set)
  })
