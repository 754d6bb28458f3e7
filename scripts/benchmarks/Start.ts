import type { Benchmark } from "./Benchmark.ts"
import { connect, type Rpc } from "./Rpc.ts"
import { makeGround, startService } from "./Service.ts"
import { slowest, summary } from "./Statistics.ts"
import { until } from "./Waiting.ts"

const answered = async (url: string): Promise<boolean> => {
  let rpc: Rpc | undefined
  try {
    rpc = await connect(url)
    return (await rpc.call("ping")) === "pong"
  } catch {
    // nobody listens yet
    return false
  } finally {
    rpc?.[Symbol.dispose]()
  }
}

/** An attempt that comes too early costs the service a refusal, and this machine the client's work: more often measures those. */
const attemptEvery = 5

/** From the start of the process to the first reply, and to `/health/ready` with 10 cameras. */
export const start: Benchmark = async ({ say, times }) => {
  using ground = await makeGround({ CAMERAS_SYNTHETIC: 10 })
  const replies: Array<number> = []
  const readies: Array<number> = []
  for (let round = 0; round < times(10); round++) {
    await using service = startService(ground)
    const sinceStart = () => performance.now() - service.startedAt
    const [reply, ready] = await Promise.all([
      until("a first reply", () => answered(service.url), { every: attemptEvery }).then(sinceStart),
      service.ready().then(sinceStart)
    ])
    replies.push(reply)
    readies.push(ready)
    say(`start ${round + 1}: ${Math.round(reply)} ms, ready after ${Math.round(ready)} ms`)
  }
  return [
    { name: "start.reply", value: slowest(replies), detail: summary(replies) },
    { name: "start.ready", value: slowest(readies), detail: summary(readies) }
  ]
}
