import { signal } from "../../test/support/Processes.ts"
import type { Benchmark } from "./Benchmark.ts"
import { isAlive } from "./Proc.ts"
import { startReady } from "./Service.ts"
import { slowest, summary } from "./Statistics.ts"
import { pause, until } from "./Waiting.ts"

const cameras = 50
const streams = ["camera0", "camera1"]

interface Stream {
  readonly name: string
  readonly ready: boolean
}

/** MediaMTX is killed while 50 cameras have paths and two streams run: until it has them all again. */
export const recovery: Benchmark = async ({ say, times }) => {
  await using service = await startReady(cameras)
  using rpc = await service.connect()
  await Promise.all(streams.map((device) => rpc.call("start_streaming", { device })))
  const isBack = async (): Promise<boolean> => {
    if (!(await service.isReady())) return false
    // refused while MediaMTX does not answer
    const all = await rpc.call<ReadonlyArray<Stream>>("get_streams", {}).catch(() => [])
    const ready = new Set(all.filter((stream) => stream.ready).map(({ name }) => name))
    return streams.every((name) => ready.has(name))
  }
  const samples: Array<number> = []
  for (let i = 0; i < times(10); i++) {
    await until("all paths and both streams are there", isBack)
    const [mediaMtx] = service.ground.running("mediamtx")
    if (mediaMtx === undefined) throw new Error("there is no MediaMTX")
    const began = performance.now()
    signal(mediaMtx.pid, "SIGKILL")
    await until("MediaMTX is gone", () => !isAlive(mediaMtx.pid), { every: 1 })
    await until("all paths and both streams are back", isBack, { bound: 60_000, every: 10 })
    samples.push(performance.now() - began)
    say(`kill ${i + 1}`)
    await pause(1000)
  }
  return [{ name: "recovery.time", value: slowest(samples), detail: summary(samples) }]
}
