import type { Benchmark } from "./Benchmark.ts"
import { connect, type Rpc } from "./Rpc.ts"
import { type Ground, makeGround, startService } from "./Service.ts"
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

/** From the start of the process to the first reply, and to `/health/ready`, in milliseconds. */
const startOnce = async (ground: Ground) => {
  await using service = startService(ground)
  const sinceStart = () => performance.now() - service.startedAt
  const [reply, ready] = await Promise.all([
    until("a first reply", () => answered(service.url), { every: attemptEvery }).then(sinceStart),
    service.ready().then(sinceStart)
  ])
  return { reply, ready }
}

/** With 10 cameras; the first one on a new data folder. */
export const start: Benchmark = async ({ say, times }) => {
  const settings = { CAMERAS_SYNTHETIC: 10 }
  {
    // the first connection of a Node process loads and compiles code for 90 ms: the client's, and not the service's
    using elsewhere = await makeGround(settings)
    await startOnce(elsewhere)
  }
  using ground = await makeGround(settings)
  const replies: Array<number> = []
  const readies: Array<number> = []
  for (let round = 0; round < times(10); round++) {
    const { ready, reply } = await startOnce(ground)
    replies.push(reply)
    readies.push(ready)
    say(`start ${round + 1}: ${Math.round(reply)} ms, ready after ${Math.round(ready)} ms`)
  }
  return [
    { name: "start.reply", value: slowest(replies), detail: summary(replies) },
    { name: "start.ready", value: slowest(readies), detail: summary(readies) }
  ]
}
