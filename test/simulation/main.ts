import { parseArgs } from "node:util"
import { liveThrough, stepsOf } from "./Day.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "60" },
    show: { type: "boolean" },
    seeds: { type: "string", default: "1" }
  }
})
const began = performance.now()
let total = 0
for (let i = 0; i < Number(values.seeds); i++) {
  const seed = Number(values.seed) + i
  const b = performance.now()
  const outcome = await liveThrough(
    seed,
    stepsOf(seed, Number(values.count)),
    values.show === true ? (line) => process.stdout.write(`${line}\n`) : undefined
  )
  total += outcome.passed
  const took = performance.now() - b
  process.stdout.write(
    `seed ${seed}: ${outcome.hash.slice(0, 16)} ${(outcome.passed / 1000).toFixed(1)} s simulated in ${(took / 1000).toFixed(2)} s ${outcome.broken ?? "ok"}\n`
  )
}
process.stdout.write(`${(total / 86400000 / ((performance.now() - began) / 60000)).toFixed(2)} days a minute\n`)
