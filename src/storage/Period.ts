import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidParams } from "../../schema/Errors.ts"
import { IsoTime, maxPeriodDays } from "../../schema/Timeline.ts"
import { dayMillis } from "../ground/Time.ts"

/** A span of time; epoch milliseconds. */
export interface Period {
  readonly from: number
  readonly to: number
}

const isTime = Schema.is(IsoTime)
const millisOf = (text: string): number => (isTime(text) ? Date.parse(text) : Number.NaN)

/** The period that a client means, in its words: two times in ISO 8601. */
export const periodOf = (asked: {
  readonly from: string
  readonly to: string
}): Effect.Effect<Period, InvalidParams> => {
  const [from, to] = [millisOf(asked.from), millisOf(asked.to)]
  const wrong = (param: string, rule: string, hint: string) => Effect.fail(new InvalidParams({ param, rule, hint }))
  if (Number.isNaN(from)) return wrong("from", "a time that there is", "such as 2026-01-02T03:04:05Z")
  if (Number.isNaN(to)) return wrong("to", "a time that there is", "such as 2026-01-02T03:04:05Z")
  if (to <= from) return wrong("to", "later than from", "swap the two")
  if (to - from > maxPeriodDays * dayMillis)
    return wrong("to", `${maxPeriodDays} days after from at most`, "ask in parts")
  return Effect.succeed({ from, to })
}
