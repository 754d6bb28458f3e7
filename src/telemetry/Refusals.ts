import * as Effect from "effect/Effect"
import { type Limit, limitRefusals } from "./Metrics.ts"
import { makeWarner } from "./Warner.ts"

/**
 * Counts what a limit refuses, and warns of it once in a while, for each of those who meet it (`who`: an address, a user, a
 * camera); `about` is what else the log tells.
 */
export type Refuse = (limit: Limit, who: string, why: string, about: Readonly<Record<string, unknown>>) => void

/** Makes it; whatever is counted is told. */
export const makeRefusals: Effect.Effect<Refuse> = Effect.gen(function* () {
  const context = yield* Effect.context<never>()
  const warn = yield* makeWarner
  const known = new Map<Limit, ReturnType<typeof limitRefusals>>()
  return (limit, who, why, about) => {
    const series = known.get(limit) ?? limitRefusals(limit)
    known.set(limit, series)
    series.updateUnsafe(1, context)
    // what is no setting has its words
    warn(`${limit} ${who}`, why, { ...about, [limit.includes(".") ? "setting" : "limit"]: limit })
  }
})
