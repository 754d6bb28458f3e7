import * as Effect from "effect/Effect"
import { monotonicNow } from "../ground/Time.ts"

/** The same is said again after so many milliseconds, with how often it was meanwhile. */
const period = 10_000
/** So many things are told apart. */
const maxKeys = 256

/** Warns of what others can make happen a thousand times a second; `key` tells apart what is not the same. */
export type Warn = (key: string, message: string, fields: Readonly<Record<string, unknown>>) => void

/** Makes what warns once in a while. */
export const makeWarner: Effect.Effect<Warn> = Effect.gen(function* () {
  const now = yield* monotonicNow
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const said = new Map<string, { readonly until: number; unsaid: number }>()
  return (key, message, fields) => {
    const at = now()
    const known = said.get(key)
    if (known !== undefined && at < known.until) {
      known.unsaid++
      return
    }
    if (known === undefined && said.size >= maxKeys) {
      for (const [old, { until }] of said) if (until <= at) said.delete(old)
      // so many at once that the log has no room for each
      if (said.size >= maxKeys) return
    }
    said.set(key, { until: at + period, unsaid: 0 })
    const before = known === undefined || known.unsaid === 0 ? {} : { times_unsaid_before: known.unsaid }
    run(Effect.annotateLogs(Effect.logWarning(message), { ...fields, ...before }))
  }
})
