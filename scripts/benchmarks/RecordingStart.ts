import { statSync } from "node:fs"
import { join } from "node:path"
import type { Benchmark } from "./Benchmark.ts"
import { awaitIdle, makeIdle } from "./Cameras.ts"
import type { Rpc } from "./Rpc.ts"
import { type Ground, startReady } from "./Service.ts"
import { percentile, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

const device = "camera0"
/** Keyframes come once a second: recordings that begin at any moment between two of them. */
const betweenKeyframes = 1000

/** The time to the reply, which must not come before there are bytes on the disk. */
const record = async (rpc: Rpc, ground: Ground): Promise<number> => {
  const began = performance.now()
  const { filename } = await rpc.call<{ readonly filename: string }>("start_recording", { device })
  const took = performance.now() - began
  if (statSync(join(ground.folder, "recordings", filename)).size === 0) throw new Error("nothing is on the disk")
  await rpc.call("stop_recording", { device })
  return took
}

/** From start_recording to its reply, of a stream that runs and of an idle camera. */
export const recordingStart: Benchmark = async ({ say, times }) => {
  await using service = await startReady(1)
  using rpc = await service.connect()
  const live: Array<number> = []
  const idle: Array<number> = []
  say("of a live stream")
  await rpc.call("start_streaming", { device })
  // past the time in which a new stream sends more keyframes
  await pause(3000)
  for (let i = 0; i < times(20); i++) {
    live.push(await record(rpc, service.ground))
    await pause(Math.random() * betweenKeyframes)
  }
  say("of an idle camera")
  await makeIdle(rpc, device)
  for (let i = 0; i < times(20); i++) {
    await awaitIdle(rpc, device)
    idle.push(await record(rpc, service.ground))
  }
  return [
    { name: "recording.live", value: percentile(live, 0.95), detail: summary(live) },
    { name: "recording.idle", value: percentile(idle, 0.95), detail: summary(idle) }
  ]
}
