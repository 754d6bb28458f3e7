import { signal } from "../../test/support/Processes.ts"
import type { Benchmark } from "./Benchmark.ts"
import { makeIdle, streamStatus } from "./Cameras.ts"
import { isAlive } from "./Proc.ts"
import { startReady } from "./Service.ts"
import { slowest, summary } from "./Statistics.ts"
import { until } from "./Waiting.ts"

const device = "camera0"

/** An FFmpeg that is stopped, and so deaf to SIGTERM: from the end of its last need to its own. */
export const frozenFfmpeg: Benchmark = async ({ say, times }) => {
  await using service = await startReady(1)
  using rpc = await service.connect()
  const samples: Array<number> = []
  for (let i = 0; i < times(5); i++) {
    await rpc.call("start_streaming", { device })
    const { pid } = (await streamStatus(rpc, device)).ffmpeg_process
    signal(pid, "SIGSTOP")
    const began = performance.now()
    await rpc.call("stop_streaming", { device })
    await until("FFmpeg is gone", () => !isAlive(pid), { bound: 30_000 })
    samples.push(performance.now() - began)
    await makeIdle(rpc, device)
    say(`FFmpeg ${i + 1}`)
  }
  return [{ name: "ffmpeg.gone", value: slowest(samples), detail: summary(samples) }]
}
