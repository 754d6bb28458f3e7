import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A clock that stands still until it is moved on, whose wall time is set apart from the time that passes. */
export interface SimulatedClock extends Clock.Clock {
  /** milliseconds that have passed since the start */
  readonly passed: () => number
  /** moves on to who sleeps the shortest, and wakes it; false when nobody sleeps */
  readonly wakeNext: () => boolean
  /**
   * moves on at once, as for a machine that was suspended: who was due meanwhile is woken from now on, once each, in an order
   * that chance decides
   */
  readonly passOver: (millis: number) => void
  /** milliseconds that were passed over */
  readonly passedOver: () => number
  /** how many sleep */
  readonly sleepers: () => number
  /** somebody sets the wall clock by so many milliseconds */
  readonly setBy: (millis: number) => void
}

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

/** Of the wall clock at the start. */
const start = Date.UTC(2026, 5, 1, 12)
/** Nobody knows when the machine was started. */
const uptime = 12_345.678
/** A timer comes that much late at most, in milliseconds (Node's are whole milliseconds). */
const lateness = 1.5

/** `chance` (0 to less than 1) says how late a timer comes. */
export const makeSimulatedClock = (chance: () => number): SimulatedClock => {
  /** soonest last */
  const sleepers: Array<Sleeper> = []
  let passed = 0
  let passedOver = 0
  let set = 0

  const wall = (): number => Math.floor(start + set + passed)
  const wallNanos = (): bigint => BigInt(wall()) * 1_000_000n
  const monotonicNanos = (): bigint => BigInt(Math.round((uptime + passed) * 1e6))

  const place = (due: number): number => {
    let [low, high] = [0, sleepers.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sleepers[middle]?.due ?? 0) > due) low = middle + 1
      else high = middle
    }
    return low
  }

  const sleep = (duration: Duration.Duration): Effect.Effect<void> => {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.callback<void>((resume) => {
      const sleeper: Sleeper = { due: passed + millis + chance() * lateness, wake: () => resume(Effect.void) }
      sleepers.splice(place(sleeper.due), 0, sleeper)
      return Effect.sync(() => {
        const at = sleepers.indexOf(sleeper)
        if (at >= 0) sleepers.splice(at, 1)
      })
    })
  }

  return {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: monotonicNanos,
    monotonicTimeNanos: Effect.sync(monotonicNanos),
    sleep,
    passed: () => passed,
    sleepers: () => sleepers.length,
    setBy: (millis) => {
      set += millis
    },
    passOver: (millis) => {
      passed += millis
      passedOver += millis
    },
    passedOver: () => passedOver,
    wakeNext: () => {
      const late = sleepers.length - place(passed)
      const next = late > 1 ? sleepers.splice(-1 - Math.floor(chance() * late), 1)[0] : sleepers.pop()
      if (next === undefined) return false
      passed = Math.max(passed, next.due)
      next.wake()
      return true
    }
  }
}
