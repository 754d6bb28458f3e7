import { readFileSync } from "node:fs"
import type { Benchmark } from "./Benchmark.ts"
import { frame, startLoad } from "./Load.ts"
import { makeGround, type Service, startService } from "./Service.ts"
import { percentile, summary } from "./Statistics.ts"

const connections = 1000
const seconds = 20

export const statusMethods = [
  frame("get_system_status"),
  frame("get_camera_list"),
  frame("get_stream_url", { device: "camera3" }),
  frame("get_camera_status", { device: "camera5" }),
  frame("get_stream_status", { device: "camera7" })
]

/** A burst that leaves some 20 MB behind, and how long calls are measured after it. */
const visitors = 1000
const calls = 20_000
const bursts = 4
const secondsAfterBurst = 12

/** How often the service has given memory back, which it tells at debug level. */
const giveBacks = (service: Service): number =>
  readFileSync(service.log, "utf8").split("memory is given back").length - 1

/** The time to a reply as clients see it, 1,000 of them with one request a second each. */
export const latency: Benchmark = async ({ say, times }) => {
  using ground = await makeGround({ CAMERAS_SYNTHETIC: 10, TELEMETRY_LOG_LEVEL: "debug" })
  await using service = startService(ground)
  await service.ready()
  using load = startLoad()
  await load.open({ url: service.url, token: ground.token, connections })
  await load.paced(3, statusMethods)
  say(`${connections} connections, ${seconds} s`)
  const samples = await load.paced(seconds, statusMethods)

  using others = startLoad()
  const afterBursts: Array<number> = []
  const before = giveBacks(service)
  for (let burst = 0; burst < times(bursts); burst++) {
    say(`burst ${burst + 1}`)
    await others.open({ url: service.url, token: ground.token, connections: visitors })
    await others.closedLoop(calls, statusMethods)
    await others.close()
    // the burst itself is not what is measured
    await load.paced(1, statusMethods)
    afterBursts.push(...(await load.paced(secondsAfterBurst, statusMethods)))
  }
  const detail = summary(samples)
  return [
    { name: "latency.p50", value: percentile(samples, 0.5), detail },
    { name: "latency.p99", value: percentile(samples, 0.99), detail },
    {
      name: "latency.give_backs",
      value: percentile(afterBursts, 0.99),
      detail: `${giveBacks(service) - before} times; ${summary(afterBursts)}`
    }
  ]
}
