import * as Effect from "effect/Effect"
import { round } from "../../scripts/benchmarks/Statistics.ts"
import { type History, lateSeconds } from "./History.ts"

/** Seconds of footage that a power cut may cost. */
export const mostLost = 1

/** Seconds by which this machine may be late in a life: so much more may be lost in it. */
const mostLate = 1

/** So often something is lived through before it is given up. */
const lives = 3

/** Why a life says nothing: this machine was too late in it. */
export const tooLate = (history: History): string | undefined => {
  const late = lateSeconds(history)
  return late > mostLate ? `this machine was late by ${round(late)} s` : undefined
}

/**
 * What is lived through until it says something. A machine that is late must not loosen what is looked at for as much as it
 * is late: such a life is lived again, and dies where each was one. `whyNot`: why it says nothing.
 */
export const conclusive = Effect.fnUntraced(function* <A, E, R>(
  life: Effect.Effect<A, E, R>,
  whyNot: (lived: A) => string | undefined
) {
  const reasons: Array<string> = []
  while (reasons.length < lives) {
    const lived = yield* life
    const reason = whyNot(lived)
    if (reason === undefined) return lived
    yield* Effect.logWarning(`a life that says nothing: ${reason}`)
    reasons.push(reason)
  }
  return yield* Effect.die(new Error(`none of ${lives} lives says anything: ${reasons.join("; ")}`))
})
