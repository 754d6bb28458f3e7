import { signal } from "../../test/support/Processes.ts"
import type { Benchmark } from "./Benchmark.ts"
import { type Ground, makeGround, type Service, startService } from "./Service.ts"
import { pause, until } from "./Waiting.ts"

const streams = ["camera0", "camera1"]
const patience = 6000

/** Processes that are not where they belong (`stray` says which), once they had 6 s to go. */
const strays = async (ground: Ground, stray: (parent: number, pid: number) => boolean): Promise<number> => {
  const count = () => ground.processes().filter(({ parent, pid }) => stray(parent, pid)).length
  const began = performance.now()
  while (count() > 0 && performance.now() - began < patience) await pause(50)
  return count()
}

const startStreams = async (service: Service): Promise<void> => {
  using rpc = await service.connect()
  await Promise.all(streams.map((device) => rpc.call("start_streaming", { device })))
}

/** Another MediaMTX than those, and an FFmpeg for each stream. */
const isWhole = (ground: Ground, killed: ReadonlyArray<number>): boolean =>
  ground.running("mediamtx").some(({ pid }) => !killed.includes(pid)) &&
  ground.running("ffmpeg").length === streams.length

/** MediaMTX, and then the service, are killed while two streams run: what is left of their processes. */
export const orphans: Benchmark = async ({ say, times }) => {
  using ground = await makeGround({ CAMERAS_SYNTHETIC: streams.length })
  const rounds = times(50)
  let left = 0
  for (let round = 0; round < rounds; round++) {
    await using service = startService(ground)
    await service.ready()
    await startStreams(service)
    const killed = ground.running("mediamtx").map(({ pid }) => pid)
    for (const pid of killed) signal(pid, "SIGKILL")
    left += await strays(ground, (parent, pid) => pid !== service.pid && parent !== service.pid)
    await until("the streams are back", () => isWhole(ground, killed))
    await service.kill()
    left += await strays(ground, () => true)
    say(`round ${round + 1} of ${rounds}, ${left} left so far`)
  }
  return [{ name: "orphans.left", value: left, detail: `${rounds} kills of each` }]
}
