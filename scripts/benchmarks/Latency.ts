import type { Benchmark } from "./Benchmark.ts"
import { frame, startLoad } from "./Load.ts"
import { startReady } from "./Service.ts"
import { percentile, summary } from "./Statistics.ts"

const connections = 1000
const seconds = 20

const statusMethods = [
  frame("get_system_status"),
  frame("get_camera_list"),
  frame("get_stream_url", { device: "camera3" }),
  frame("get_camera_status", { device: "camera5" }),
  frame("get_stream_status", { device: "camera7" })
]

/** The time to a reply as clients see it, 1,000 of them with one request a second each. */
export const latency: Benchmark = async ({ say }) => {
  await using service = await startReady(10)
  using load = startLoad()
  await load.open({ url: service.url, token: service.ground.token, connections })
  await load.paced(3, statusMethods)
  say(`${connections} connections, ${seconds} s`)
  const samples = await load.paced(seconds, statusMethods)
  const detail = summary(samples)
  return [
    { name: "latency.p50", value: percentile(samples, 0.5), detail },
    { name: "latency.p99", value: percentile(samples, 0.99), detail }
  ]
}
