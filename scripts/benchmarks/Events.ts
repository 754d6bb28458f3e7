import type { Benchmark } from "./Benchmark.ts"
import { startLoad } from "./Load.ts"
import { cpuSeconds } from "./Proc.ts"
import { startReady } from "./Service.ts"
import { percentile, round, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

const connections = 1000
const perSecond = 100

/** From a snapshot's call to the last of 1,000 subscribers that hears of it, 100 times a second. */
export const events: Benchmark = async ({ say, times }) => {
  await using service = await startReady(1)
  using rpc = await service.connect()
  await rpc.call("start_streaming", { device: "camera0" })
  using load = startLoad()
  await load.open({ url: service.url, token: service.ground.token, connections })
  await load.subscribe(["snapshot.taken"])

  const sentAt = new Map<string, number>()
  const replies: Array<number> = []
  const snapshot = async (): Promise<void> => {
    const began = Number(process.hrtime.bigint()) / 1e6
    const { filename } = await rpc.call<{ readonly filename: string }>("take_snapshot", { device: "camera0" })
    sentAt.set(filename, began)
    replies.push(Number(process.hrtime.bigint()) / 1e6 - began)
  }
  // the first one waits for the first picture
  await snapshot()
  sentAt.clear()
  const calls: Array<Promise<void>> = []
  const cpuBefore = cpuSeconds(service.pid)
  const began = performance.now()
  for (let i = 0; i < times(1000); i++) {
    await pause(Math.max(0, began + (i * 1000) / perSecond - performance.now()))
    calls.push(snapshot())
  }
  await Promise.all(calls)
  const cpu = (cpuSeconds(service.pid) - cpuBefore) / ((performance.now() - began) / 1000)
  // what is still on its way
  await pause(2000)

  const tallies = new Map((await load.tallied()).map((tally) => [tally.filename, tally]))
  const last = Array.from(sentAt, ([filename, at]) => (tallies.get(filename)?.last ?? Infinity) - at)
  const heard = Array.from(sentAt.keys(), (filename) => tallies.get(filename)?.clients ?? 0)
  say(`replies to take_snapshot: ${summary(replies)}; the service used ${round(cpu * 100)} % of a core`)
  return [
    { name: "events.last", value: percentile(last, 0.95), detail: summary(last) },
    { name: "events.lost", value: heard.reduce((lost, clients) => lost + connections - clients, 0) }
  ]
}
