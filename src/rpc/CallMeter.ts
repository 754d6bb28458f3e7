import * as Effect from "effect/Effect"
import type * as Metric from "effect/Metric"
import { monotonicNow } from "../ground/Time.ts"
import { rpcCall } from "../telemetry/Metrics.ts"

/** OpenTelemetry's name for a method that is none of ours: what clients make up does not become a label. */
const noMethod = "_OTHER"

/** How long calls take, by their method and the code of their error. */
export interface CallMeter {
  /** monotonic milliseconds */
  readonly now: () => number
  /** a call that came then is answered; `code`: of the error */
  readonly answered: (method: string, began: number, code?: number) => void
  /** what came then was no call of a method of ours */
  readonly refused: (began: number, code: number) => void
}

export const makeCallMeter = Effect.gen(function* () {
  const context = yield* Effect.context<never>()
  const now = yield* monotonicNow
  // to make a series anew for each call would cost more than the call
  const good = new Map<string, Metric.Histogram<number>>()
  const bad = new Map<string, Metric.Histogram<number>>()
  const seriesOf = (method: string, code: number | undefined): Metric.Histogram<number> => {
    const [known, key] = code === undefined ? [good, method] : [bad, `${method} ${code}`]
    const series = known.get(key) ?? rpcCall(method, code?.toString())
    known.set(key, series)
    return series
  }
  const answered: CallMeter["answered"] = (method, began, code) =>
    seriesOf(method, code).updateUnsafe((now() - began) / 1000, context)
  return { now, answered, refused: (began, code) => answered(noMethod, began, code) } satisfies CallMeter as CallMeter
})
