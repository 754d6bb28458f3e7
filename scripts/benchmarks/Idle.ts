import type { Benchmark } from "./Benchmark.ts"
import { cpuSeconds } from "./Proc.ts"
import { startReady } from "./Service.ts"
import { round } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

const seconds = 20
/** V8 and the service tidy up after a start, some seconds each time (a collection, what is given back): idle is what comes after. */
const settling = 60_000

/** CPU of the service while nobody asks for anything, in percent of one core. */
export const idle: Benchmark = async ({ say }) => {
  await using service = await startReady(10)
  const mediaMtx = service.ground.running("mediamtx")[0]?.pid ?? 0
  await pause(settling)
  say(`${seconds} s of nothing`)
  const before = [service.pid, mediaMtx].map(cpuSeconds)
  await pause(seconds * 1000)
  const [ours = 0, theirs = 0] = [service.pid, mediaMtx].map(
    (pid, index) => ((cpuSeconds(pid) - (before[index] ?? 0)) / seconds) * 100
  )
  return [{ name: "idle.cpu", value: ours, detail: `MediaMTX ${round(theirs)} %` }]
}
