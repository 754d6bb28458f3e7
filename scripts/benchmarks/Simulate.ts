import { liveThrough } from "../../test/simulation/Day.ts"
import { daysOf, replayOf } from "../../test/simulation/Steps.ts"
import type { Benchmark } from "./Benchmark.ts"

/** Days of one life. */
const days = 25
const hour = 3_600_000

/**
 * The whole service in memory, on a machine to which something happens every day: how fast its time goes by, and what is
 * broken. Of a day the minutes after what happens are lived through second by second, until the service has come to rest;
 * the rest of it passes in some steps of hours.
 */
export const simulate: Benchmark = async ({ days: wanted, say, times }) => {
  const lives = wanted === undefined ? times(20) : Math.ceil(wanted / days)
  const began = performance.now()
  let [passed, played, broken] = [0, 0, 0]
  for (let seed = 1; seed <= lives; seed++) {
    const steps = daysOf(seed, days)
    const outcome = await liveThrough(seed, steps)
    passed += outcome.passed / hour
    played += outcome.played / hour
    if (outcome.broken === undefined) continue
    broken++
    say(`${outcome.broken}; again: ${replayOf(seed, `--days ${days}`, steps)}`)
  }
  const minutes = (performance.now() - began) / 60_000
  const detail = `${Math.round(passed / 24)} days, ${lives} lives; ${played.toFixed(1)} h lived second by second, the rest at rest, passed over`
  return [
    { name: "simulate.days", value: passed / 24 / minutes, detail },
    { name: "simulate.broken", value: broken }
  ]
}
