import * as Effect from "effect/Effect"
import { dayMillis, type Moment, now } from "../ground/Time.ts"

const hourMillis = 3_600_000

/** Whether the wall clock tells how old a file is. */
export interface ClockTrust {
  /** compares it with the monotonic one; epoch milliseconds until when it is doubted, undefined: it is trusted */
  readonly doubtedUntil: Effect.Effect<number | undefined>
  /** files are spared for that; one warning for each time of doubt */
  readonly warn: (until: number) => Effect.Effect<void>
}

/**
 * A box without a battery starts years off until somebody sets its clock, and what was deleted by that is gone for good: the
 * clock is doubted for an hour from now on, and from each look that sees it set by more than a day.
 */
export const makeClockTrust: Effect.Effect<ClockTrust> = Effect.map(now, (start) => {
  /** the start, or when it was last seen to be set */
  let since = start
  let warned: Moment | undefined
  return {
    doubtedUntil: Effect.map(now, (at) => {
      const setBy = at.wall - since.wall - (at.monotonic - since.monotonic)
      if (Math.abs(setBy) > dayMillis) since = at
      const left = hourMillis - (at.monotonic - since.monotonic)
      return left > 0 ? at.wall + left : undefined
    }),
    warn: Effect.fnUntraced(function* (until: number) {
      if (warned === since) return
      warned = since
      yield* Effect.logWarning("files are not deleted for their age yet: the clock may be wrong", {
        until: new Date(until).toISOString()
      })
    })
  }
})
