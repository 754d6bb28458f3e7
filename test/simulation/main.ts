import { parseArgs } from "node:util"
import { plant } from "./Bugs.ts"

const help = `node test/simulation/main.ts [--seed N] [--seeds COUNT] [--count STEPS | --days N] [--steps 3,7,9] [--show]
  [--shrink] [--bug PATCH]

  lives through what these seeds make: so many steps of a busy time, or days with incidents and quiet hours, which pass at
  once when the service has come to rest; --steps: only these of a seed's steps; --show: all that happens;
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
const { liveThrough } = await import("./Day.ts")
const { daysOf, replayOf, stepsOf } = await import("./Steps.ts")
const { shrink } = await import("./Shrink.ts")

const { count, days } = values
const how = days === undefined ? `--count ${count}` : `--days ${days}`
const chosen = values.steps?.split(",").map(Number)
const began = performance.now()
let passed = 0
let played = 0
for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed++) {
  const all = days === undefined ? stepsOf(seed, Number(count)) : daysOf(seed, Number(days))
  const steps = all.filter(({ number }) => chosen?.includes(number) ?? true)
  const outcome = await liveThrough(seed, steps, values.show === true ? say : undefined)
  passed += outcome.passed
  played += outcome.played
  say(`seed ${seed}: ${outcome.hash.slice(0, 16)}, ${Math.round(outcome.passed / 1000)} s: ${outcome.broken ?? "ok"}`)
  if (outcome.broken === undefined) continue
  process.exitCode = 1
  const needed = values.shrink === true ? await shrink(seed, steps, outcome) : steps
  say(`again: ${replayOf(seed, how, all, needed)} --show`)
  if (values.bug !== undefined) break
}
const minutes = (performance.now() - began) / 60_000
const processor = process.cpuUsage()
const cpuMinutes = (processor.user + processor.system) / 60_000_000
const daysPassed = passed / 86_400_000
say(
  `${daysPassed.toFixed(2)} days, ${(played / 3_600_000).toFixed(1)} hours of them in full: ${(daysPassed / minutes).toFixed(2)} days a minute, ${(daysPassed / cpuMinutes).toFixed(2)} a minute of processor time`
)
