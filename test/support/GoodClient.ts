import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { percentile, round } from "../../scripts/benchmarks/Statistics.ts"
import type { PlainClient } from "./PlainClient.ts"

export interface Waits {
  /** milliseconds until an answer came */
  readonly p99: number
  /** where this machine itself was late everybody waited, some times over: more than this is the service's own */
  readonly allowed: number
  /** milliseconds by which this machine was late (p99) */
  readonly late: number
}

/** How long a client that does nothing wrong waits while something else goes on for so many seconds. */
export const watchGoodClient = Effect.fnUntraced(function* (
  client: PlainClient,
  { pause, seconds }: { readonly pause: Duration.Duration; readonly seconds: number }
) {
  const took: Array<number> = []
  const late: Array<number> = []
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    const asked = performance.now()
    yield* client.result("get_camera_list")
    const answered = performance.now()
    yield* Effect.sleep(pause)
    took.push(answered - asked)
    late.push(performance.now() - answered - Duration.toMillis(pause))
  }
  const [p50, p99, lateness] = [percentile(took, 0.5), percentile(took, 0.99), percentile(late, 0.99)]
  yield* Effect.logInfo(
    `${took.length} calls: p50 ${round(p50)}, p99 ${round(p99)}, slowest ${round(Math.max(...took))} ms; a timer is late by ${round(lateness)} ms (p99)`
  )
  return { p99, allowed: 100 + 4 * lateness, late: lateness } satisfies Waits as Waits
})
