import type { Benchmark } from "./Benchmark.ts"
import { frame, startLoad } from "./Load.ts"
import { residentMegabytes } from "./Proc.ts"
import { startReady } from "./Service.ts"
import { round, summary } from "./Statistics.ts"

const wanted = 10_000
const core = 0

/** 10,000 authenticated connections on one core, all of which get an answer to a ping. */
export const connectionCount: Benchmark = async ({ say }) => {
  await using service = await startReady(0, {}, { core })
  using load = startLoad()
  const opening = performance.now()
  await load.open({ url: service.url, token: service.ground.token, connections: wanted })
  say(`${wanted} connections opened in ${round((performance.now() - opening) / 1000)} s`)
  const memory = residentMegabytes(service.pid)
  // a second, 10,000 pings, one from each: whoever was cut would leave it waiting
  const samples = await load.paced(1, [frame("ping")])
  const detail = `${round(memory)} MB; pings at ${wanted} a second: ${summary(samples)} ms`
  return [{ name: "connections.held", value: samples.length, detail }]
}
