import type { Benchmark } from "./Benchmark.ts"
import { frame, startLoad } from "./Load.ts"
import { anonymousMegabytes, residentMegabytes } from "./Proc.ts"
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

interface Footprint {
  readonly resident: number
  readonly anonymous: number
}

const row = (name: string, { anonymous, resident }: Footprint, detail = "") => ({
  name,
  value: resident,
  detail: `${round(anonymous)} anonymous${detail}`
})

/** RSS of the service alone, at rest: without cameras, and of one service that is given more and more to do. */
export const memory: Benchmark = async ({ say, times }) => {
  const measure = async (pid: number, what: string): Promise<Footprint> => {
    await pause(settling)
    const footprint = { resident: residentMegabytes(pid), anonymous: anonymousMegabytes(pid) }
    say(`${what}: ${round(footprint.resident)} MB, ${round(footprint.anonymous)} anonymous`)
    return footprint
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
    row("memory.base", base),
    row("memory.cameras", cameras),
    row("memory.connections", connected),
    row("memory.calls", calls, `, ${2 * half} calls`),
    {
      name: "memory.growth",
      value: calls.anonymous - halfWay.anonymous,
      detail: `anonymous, from ${round(halfWay.anonymous)} MB after ${half}`
    }
  ]
}
