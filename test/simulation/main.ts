import { parseArgs } from "node:util"
import { plant } from "./Bugs.ts"

const help = `node test/simulation/main.ts [--seed N] [--seeds COUNT] [--count STEPS] [--steps 3,7,9] [--show] [--shrink]
  [--bug PATCH]

  lives through the days of these seeds; --steps: only these of a seed's steps; --show: all that happens;
  --shrink: leaves out what a failure does not need; --bug: until what this patch does to the sources (bugs/) is found
`

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    count: { type: "string", default: "150" },
    days: { type: "string" },
    steps: { type: "string" },
    show: { type: "boolean" },
    shrink: { type: "boolean" },
    bug: { type: "string" },
    help: { type: "boolean" }
  }
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)
if (values.help === true) {
  say(help)
  process.exit(0)
}

if (values.bug !== undefined) plant(values.bug)
const { liveThrough, replayOf, stepsOf, daysOf } = await import("./Day.ts")
const { shrink } = await import("./Shrink.ts")

const count = Number(values.count)
const chosen = values.steps?.split(",").map(Number)
const began = performance.now()
let passed = 0
for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed++) {
  const steps = (values.days === undefined ? stepsOf(seed, count) : daysOf(seed, Number(values.days))).filter(({ number }) => chosen?.includes(number) ?? true)
  const outcome = await liveThrough(seed, steps, values.show === true ? say : undefined)
  passed += outcome.passed
  say(`seed ${seed}: ${outcome.hash.slice(0, 16)}, ${Math.round(outcome.passed / 1000)} s: ${outcome.broken ?? "ok"}`)
  if (outcome.broken === undefined) continue
  process.exitCode = 1
  const needed = values.shrink === true ? await shrink(seed, steps, outcome) : steps
  say(`again: ${replayOf(seed, count, needed)} --show`)
  if (values.bug !== undefined) break
}
const minutes = (performance.now() - began) / 60_000
say(`${(passed / 86_400_000 / minutes).toFixed(2)} simulated days a minute`)
