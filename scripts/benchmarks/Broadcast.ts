import type { Benchmark } from "./Benchmark.ts"
import { startLoad } from "./Load.ts"
import { startReady } from "./Service.ts"
import { median, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

const connections = 1000

/** From a start_recording to the first and to the last of 1,000 clients that are told of it. */
export const broadcast: Benchmark = async ({ say, times }) => {
  await using service = await startReady(1)
  using rpc = await service.connect()
  await rpc.call("start_streaming", { device: "camera0" })
  using load = startLoad()
  await load.open({ url: service.url, token: service.ground.token, connections })
  const first: Array<number> = []
  const last: Array<number> = []
  for (let round = 0; round < times(20); round++) {
    await load.listen('"recording_status_update"')
    const sentAt = Number(process.hrtime.bigint()) / 1e6
    const started = rpc.call("start_recording", { device: "camera0" })
    const heard = await load.heard()
    first.push(heard.first - sentAt)
    last.push(heard.last - sentAt)
    await started
    await rpc.call("stop_recording", { device: "camera0" })
    // the notifications of the end
    await pause(200)
  }
  say(`first: ${summary(first)}`)
  return [
    { name: "broadcast.first", value: median(first), detail: summary(first) },
    { name: "broadcast.last", value: median(last), detail: summary(last) }
  ]
}
