import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../ground/Time.ts"

/** Reasons that are told apart within that time; any other ones are as one. */
const maxReasons = 10

/** Lines that differ in times, ports, addresses and sessions only are of one kind. */
export const kindOf = (line: string): string => line.replace(/\b[0-9a-f]{8,}\b|(?<![A-Za-z])\d+/g, "#")

/** Another status is another reason; where it is a signal its name tells. */
const reasonOf = (detail: string): string => `${/with status (\d+)/.exec(detail)?.[1]} ${kindOf(detail)}`

interface End {
  readonly detail: string
  /** it went well for a good while before: what is counted begins anew */
  readonly steady: boolean
}

/** The ends of something that is started again and again. */
export interface EndLog {
  /** Counts it, gives what is told of it, and says that if its reason was not said lately. */
  readonly ended: (end: End) => Effect.Effect<string>
  /** It goes well: that is said, where it ended before; its next end is its first. */
  readonly isOver: (message: string) => Effect.Effect<void>
}

/** In the log (by `say`) are the first end, and each reason at once, and then once in so long (`again`). */
export const makeEndLog = (say: (told: string) => Effect.Effect<void>, again: Duration.Input): EndLog => {
  let times = 0
  let since = 0
  /** When each reason was said last. */
  const said = new Map<string, number>()
  const forget = () => {
    times = 0
    said.clear()
  }
  return {
    ended: Effect.fnUntraced(function* ({ detail, steady }) {
      const now = yield* monotonicMillis
      if (steady) forget()
      if (times === 0) since = now
      times++
      const often = `; it has ended ${times} times within ${Math.round((now - since) / 1000)} s`
      const told = times === 1 ? detail : `${detail}${often}`
      for (const [reason, at] of said) if (now - at >= Duration.toMillis(again)) said.delete(reason)
      const found = reasonOf(detail)
      const reason = said.has(found) || said.size < maxReasons ? found : "any other"
      if (!said.has(reason)) {
        said.set(reason, now)
        yield* say(told)
      }
      return told
    }),
    isOver: (message) =>
      Effect.suspend(() => {
        if (times === 0) return Effect.void
        forget()
        return Effect.logInfo(message)
      })
  }
}
