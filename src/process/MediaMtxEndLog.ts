import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../ground/Time.ts"
import { kindOf } from "./MediaMtxLog.ts"

/** What goes on and on is said again after so long. */
const again = Duration.toMillis("1 minute")

/**
 * Counts the ends of a MediaMTX that ends again and again, from the first after a good while (`steady`), and gives what is told
 * of each. In the log are the first, one for another reason than was said last, and one a minute.
 */
export const makeEndLog = () => {
  let times = 0
  let since = 0
  let said: { readonly kind: string; readonly at: number } | undefined
  return Effect.fnUntraced(function* ({ detail, steady }: { readonly detail: string; readonly steady: boolean }) {
    const now = yield* monotonicMillis
    if (steady || said === undefined) {
      times = 0
      since = now
      said = undefined
    }
    times++
    const often = `; it has ended ${times} times within ${Math.round((now - since) / 1000)} s`
    const told = times === 1 ? detail : `${detail}${often}`
    const kind = kindOf(detail)
    if (said === undefined || said.kind !== kind || now - said.at >= again) {
      said = { kind, at: now }
      yield* Effect.logWarning("MediaMTX ended").pipe(Effect.annotateLogs({ detail: told }))
    }
    return told
  })
}
