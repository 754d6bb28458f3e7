import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Benchmark } from "./Benchmark.ts"
import { costOf } from "./Cpu.ts"
import { frame, startLoad } from "./Load.ts"
import { statusMethods } from "./Latency.ts"
import { startReady } from "./Service.ts"
import { median, percentile, round, summary } from "./Statistics.ts"

const connections = 1000
const seconds = 15
const few = 10
const rounds = 3
const methods = ["ping", "get_camera_list"] as const

/** A collector that takes everything, and how many bytes that was. */
const startCollector = async () => {
  let bytes = 0
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => void (bytes += chunk.length))
    request.on("end", () => response.setHeader("content-type", "application/json").end("{}"))
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bytes: () => bytes,
    [Symbol.dispose]: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}

/** What traces and metrics sent to a collector cost: the time to a reply, and CPU beside the same service without. */
export const tracing: Benchmark = async ({ say, times }) => {
  using collector = await startCollector()
  await using traced = await startReady(10, { TELEMETRY_OTLP_ENDPOINT: collector.endpoint })
  await using untraced = await startReady(10)
  const sides = await Promise.all(
    [traced, untraced].map(async ({ ground, pid, url }) => {
      const load = startLoad()
      await load.open({ url, token: ground.token, connections: few })
      return { load, pid }
    })
  )
  const calls = times(20_000)
  const costs: Array<string> = []
  for (const method of methods) {
    const found: ReadonlyArray<Array<number>> = sides.map(() => [])
    // the first round warms up
    for (let turn = 0; turn <= rounds; turn++) {
      say(`${method}, round ${turn} of ${rounds}`)
      for (const [at, { load, pid }] of sides.entries()) {
        const cost = await costOf(load, pid, calls, frame(method))
        if (turn > 0) found[at]?.push(cost)
      }
    }
    const [on, off] = found.map((values) => round(median(values)))
    costs.push(`${method} ${on} µs of CPU beside ${off}`)
  }
  for (const { load } of sides) load[Symbol.dispose]()
  using load = startLoad()
  await load.open({ url: traced.url, token: traced.ground.token, connections })
  await load.paced(3, statusMethods)
  say(`${connections} connections, ${seconds} s`)
  const before = collector.bytes()
  const samples = await load.paced(seconds, statusMethods)
  if (collector.bytes() === before) throw new Error("the collector was sent nothing")
  const sent = `${round((collector.bytes() - before) / 1024 / seconds)} kB/s to the collector`
  return [
    { name: "tracing.p50", value: percentile(samples, 0.5), detail: `${summary(samples)}; ${sent}` },
    { name: "tracing.p99", value: percentile(samples, 0.99), detail: costs.join(", ") }
  ]
}
