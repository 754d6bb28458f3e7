import { liveThrough, replayOf, stepsOf } from "../../test/simulation/Day.ts"
import type { Benchmark } from "./Benchmark.ts"

/** A busy quarter of an hour: something happens every 8 seconds. */
const count = 150
const day = 86_400_000

/** The whole service in memory, on a machine to which everything happens: how fast its time goes by, and what is broken. */
export const simulate: Benchmark = async ({ days, say, times }) => {
  const began = performance.now()
  let passed = 0
  let broken = 0
  let seed = 0
  while (days === undefined ? seed < times(20) : passed < days * day) {
    seed++
    const steps = stepsOf(seed, count)
    const outcome = await liveThrough(seed, steps)
    passed += outcome.passed
    if (outcome.broken === undefined) continue
    broken++
    say(`${outcome.broken}; again: ${replayOf(seed, count, steps)}`)
  }
  const minutes = (performance.now() - began) / 60_000
  const detail = `${seed} seeds, ${(passed / day).toFixed(2)} days, ${Math.round((seed * count) / minutes)} steps a minute`
  return [
    { name: "simulate.days", value: passed / day / minutes, detail },
    { name: "simulate.broken", value: broken }
  ]
}
