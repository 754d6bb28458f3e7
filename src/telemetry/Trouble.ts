import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../ground/Time.ts"

/** Something that is tried again and again: its failing is said once, until it works again. */
export interface Trouble {
  /** warns of it, where it worked before */
  readonly began: (message: string, ...about: ReadonlyArray<unknown>) => Effect.Effect<void>
  /** it works: that is said, where it failed before and there is something to say */
  readonly isOver: (message?: string) => Effect.Effect<void>
}

/** `proof`: over is what has not failed for so long, for what may fail every other time. */
export const makeTrouble = (proof: Duration.Input = Duration.zero): Trouble => {
  const proofMillis = Duration.toMillis(proof)
  let isKnown = false
  /** monotonic milliseconds */
  let failedAt = Number.NEGATIVE_INFINITY
  /** Whether it was another way before. */
  const becomes = (now: boolean): boolean => {
    const wasKnown = isKnown
    isKnown = now
    return wasKnown !== now
  }
  return {
    began: (message, ...about) =>
      Effect.flatMap(monotonicMillis, (now) => {
        failedAt = now
        return becomes(true) ? Effect.logWarning(message, ...about) : Effect.void
      }),
    isOver: (message) =>
      Effect.flatMap(monotonicMillis, (now) =>
        now - failedAt >= proofMillis && becomes(false) && message !== undefined ? Effect.logInfo(message) : Effect.void
      )
  }
}
