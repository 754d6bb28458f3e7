import type { Benchmark } from "./Benchmark.ts"
import { frame, startLoad } from "./Load.ts"
import { residentMegabytes } from "./Proc.ts"
import { startReady } from "./Service.ts"
import { round } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

const settling = 10_000
const connections = 1000
const callers = 10

const mix = [
  frame("ping"),
  frame("get_camera_list"),
  frame("get_system_status"),
  frame("get_camera_status", { device: "camera0" }),
  frame("list_recordings")
]

/** RSS of the service alone: without cameras, and of one service that is given more and more to do. */
export const memory: Benchmark = async ({ say, times }) => {
  const measure = async (pid: number, what: string): Promise<number> => {
    await pause(settling)
    const megabytes = residentMegabytes(pid)
    say(`${what}: ${round(megabytes)} MB`)
    return megabytes
  }
  const base = await (async () => {
    await using service = await startReady(0)
    // awaited here: the service ends with this block
    return await measure(service.pid, "no cameras")
  })()

  await using service = await startReady(10)
  const cameras = await measure(service.pid, "10 cameras")
  using load = startLoad()
  await load.open({ url: service.url, token: service.ground.token, connections })
  const connected = await measure(service.pid, `${connections} connections`)
  await load.close()
  await load.open({ url: service.url, token: service.ground.token, connections: callers })
  const half = times(500_000)
  await load.closedLoop(half, mix)
  const halfWay = await measure(service.pid, `after ${half} calls`)
  await load.closedLoop(half, mix)
  const calls = await measure(service.pid, `after ${2 * half} calls`)
  return [
    { name: "memory.base", value: base },
    { name: "memory.cameras", value: cameras },
    { name: "memory.connections", value: connected },
    { name: "memory.calls", value: calls, detail: `${2 * half} calls` },
    { name: "memory.growth", value: calls - halfWay, detail: `from ${round(halfWay)} MB after ${half}` }
  ]
}
