import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { Benchmark } from "./Benchmark.ts"
import { whenBrokenOff } from "./Ending.ts"
import { frame, type Load, startLoad } from "./Load.ts"
import { cpuSeconds } from "./Proc.ts"
import { startReady } from "./Service.ts"
import { median, round } from "./Statistics.ts"

const connections = 10
const rounds = 7
const warmUps = 2
const methods = ["ping", "get_camera_list"] as const

const startBare = async (cameraList: unknown) => {
  const child = fork(join(import.meta.dirname, "BareServer.ts"))
  const keep = whenBrokenOff(() => child.kill("SIGKILL"))
  child.send(cameraList as object)
  const [port] = (await once(child, "message")) as [number]
  return {
    pid: child.pid ?? 0,
    url: `ws://127.0.0.1:${port}`,
    [Symbol.dispose]: () => {
      child.kill("SIGKILL")
      keep()
    }
  }
}

/** Microseconds of the server's CPU for one call. */
export const costOf = async (load: Load, pid: number, calls: number, text: string): Promise<number> => {
  const before = cpuSeconds(pid)
  await load.closedLoop(calls, [text])
  return ((cpuSeconds(pid) - before) / calls) * 1e6
}

/** CPU for a call beside that of a bare server, in turns, so that whatever else the machine does meets both. */
export const cpu: Benchmark = async ({ say, times }) => {
  await using service = await startReady(10)
  using rpc = await service.connect()
  using bare = await startBare(await rpc.call("get_camera_list"))
  using ours = startLoad()
  using theirs = startLoad()
  await ours.open({ url: service.url, token: service.ground.token, connections })
  await theirs.open({ url: bare.url, connections })
  const calls = times(50_000)
  const results = methods.map((method) => ({ method, ours: [] as Array<number>, bare: [] as Array<number> }))
  for (let round = 0; round < warmUps + rounds; round++) {
    say(round < warmUps ? "warming up" : `round ${round - warmUps + 1} of ${rounds}`)
    for (const result of results) {
      const own = await costOf(ours, service.pid, calls, frame(result.method))
      const least = await costOf(theirs, bare.pid, calls, frame(result.method))
      if (round < warmUps) continue
      result.ours.push(own)
      result.bare.push(least)
    }
  }
  return results.map((result) => {
    const [own, least] = [median(result.ours), median(result.bare)]
    return { name: `cpu.${result.method}`, value: own / least, detail: `${round(own)} µs beside ${round(least)}` }
  })
}
