import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import type { Benchmark, Measurement, Run } from "./Benchmark.ts"
import { broadcast } from "./Broadcast.ts"
import { type Budget, budgets } from "./Budgets.ts"
import { connectionCount } from "./ConnectionCount.ts"
import { consoleServer } from "./Console.ts"
import { consoleBlocked } from "./ConsoleBlocked.ts"
import { consoleLoad } from "./ConsoleLoad.ts"
import { consolePage } from "./ConsolePage.ts"
import { consolePresses } from "./ConsolePresses.ts"
import { consoleRestarts } from "./ConsoleRestarts.ts"
import { cpu } from "./Cpu.ts"
import { describe } from "./Describe.ts"
import { breakOff } from "./Ending.ts"
import { events } from "./Events.ts"
import { scan } from "./Scan.ts"
import { fileList } from "./FileList.ts"
import { frozenFfmpeg } from "./FrozenFfmpeg.ts"
import { hotplug } from "./Hotplug.ts"
import { idle } from "./Idle.ts"
import { keyframeSnapshots } from "./KeyframeSnapshots.ts"
import { latency } from "./Latency.ts"
import { memory } from "./Memory.ts"
import { networkDescribe } from "./NetworkDescribe.ts"
import { mjpeg } from "./FreshMjpeg.ts"
import { orphans } from "./Orphans.ts"
import { recordingStart } from "./RecordingStart.ts"
import { recovery } from "./Recovery.ts"
import { simulate } from "./Simulate.ts"
import { snapshotTiers } from "./SnapshotTiers.ts"
import { start } from "./Start.ts"
import { json, type Result, table } from "./Table.ts"
import { round } from "./Statistics.ts"
import { testGround } from "./TestGround.ts"
import { tracing } from "./Tracing.ts"

const benchmarks: Readonly<Record<string, Benchmark>> = {
  start,
  idle,
  memory,
  cpu,
  latency,
  tracing,
  list: fileList,
  broadcast,
  events,
  connections: connectionCount,
  snapshot: snapshotTiers,
  mjpeg,
  describe,
  external: async (run) => [...(await scan(run)), ...(await networkDescribe(run)), ...(await keyframeSnapshots(run))],
  recording: recordingStart,
  "console-server": consoleServer,
  "console-page": consolePage,
  "console-blocked": consoleBlocked,
  "console-restarts": consoleRestarts,
  "console-presses": consolePresses,
  "console-wall": consoleLoad,
  ffmpeg: frozenFfmpeg,
  recovery,
  orphans,
  hotplug,
  testground: testGround,
  simulate
}

const help = `scripts/bench [NAME…] [--json FILE] [--quick] [--days N]: measures the production bundle against its budgets

  NAME         only these: ${Object.keys(benchmarks).join(" ")};
               console: all of console-…
  --json FILE  also writes an array of {name, value, unit, budget, reference, ok}
  --quick      a tenth of the repetitions: to try it out, not to quote
  --days N     simulate: so many simulated days
`

const tell = (text: string): void => void process.stderr.write(`bench: ${text}\n`)

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, quick: { type: "boolean" }, days: { type: "string" }, help: { type: "boolean" } }
})
/** By its name, or what that begins with. */
const isNamed = (benchmark: string, by: string): boolean => benchmark === by || benchmark.startsWith(`${by}-`)
const unknown = positionals.filter((word) => !Object.keys(benchmarks).some((name) => isNamed(name, word)))
const days = values.days === undefined ? undefined : Number(values.days)
if (values.help === true || unknown.length > 0 || Number.isNaN(days)) {
  process.stderr.write(help)
  process.exit(values.help === true ? 0 : 64)
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    breakOff()
    process.exit(130)
  })
}
process.on("exit", breakOff)

const wanted = (name: string): boolean => positionals.length === 0 || positionals.some((word) => isNamed(name, word))
const measured = new Map<string, Measurement>()
const failures = new Map<string, string>()

for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (!wanted(name)) continue
  const began = performance.now()
  const run: Run = {
    say: (text) => tell(`${name}: ${text}`),
    times: (count) => (values.quick === true ? Math.ceil(count / 10) : count),
    days
  }
  tell(name)
  try {
    for (const measurement of await benchmark(run)) {
      measured.set(measurement.name, measurement)
      // a run that is broken off has told what it has measured
      run.say(`${measurement.name} ${round(measurement.value)} (${measurement.detail ?? ""})`)
    }
    run.say(`done in ${Math.round((performance.now() - began) / 1000)} s`)
  } catch (error) {
    failures.set(name, error instanceof Error ? error.message : String(error))
    run.say(`FAILED: ${error instanceof Error ? error.stack : String(error)}`)
  }
}

const resultOf = (budget: Budget): Result => {
  const measurement = measured.get(budget.name)
  if (measurement !== undefined) return { budget, measured: measurement }
  return { budget, reason: `FAILED: ${failures.get(budget.benchmark) ?? "no value"}` }
}

const results = budgets.filter(({ benchmark }) => wanted(benchmark)).map(resultOf)
process.stdout.write(table(results))
if (values.json !== undefined) writeFileSync(values.json, json(results))
process.exit(failures.size > 0 ? 1 : 0)
