import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../ground/Time.ts"
import { kindOf } from "./MediaMtxLog.ts"

/** What goes on and on is said again after so long. */
const again = Duration.toMillis("1 minute")
/** Reasons that are told apart within that time; any other ones are as one. */
const maxReasons = 10

/** Another status is another reason; where it is a signal its name tells. */
const reasonOf = (detail: string): string => `${/with status (\d+)/.exec(detail)?.[1]} ${kindOf(detail)}`

/**
 * Counts the ends of a MediaMTX that ends again and again, from the first after a good while (`steady`), and gives what is told
 * of each. In the log are the first, and each reason once a minute.
 */
export const makeEndLog = () => {
  let times = 0
  let since = 0
  /** When each reason was said last. */
  const said = new Map<string, number>()
  return Effect.fnUntraced(function* ({ detail, steady }: { readonly detail: string; readonly steady: boolean }) {
    const now = yield* monotonicMillis
    if (steady || times === 0) {
      times = 0
      since = now
      said.clear()
    }
    times++
    const often = `; it has ended ${times} times within ${Math.round((now - since) / 1000)} s`
    const told = times === 1 ? detail : `${detail}${often}`
    for (const [reason, at] of said) if (now - at >= again) said.delete(reason)
    const found = reasonOf(detail)
    const reason = said.has(found) || said.size < maxReasons ? found : "any other"
    if (!said.has(reason)) {
      said.set(reason, now)
      yield* Effect.logWarning("MediaMTX ended").pipe(Effect.annotateLogs({ detail: told }))
    }
    return told
  })
}
