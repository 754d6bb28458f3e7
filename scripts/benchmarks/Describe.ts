import * as Effect from "effect/Effect"
import { readRtsp } from "../../test/support/RtspReader.ts"
import type { Benchmark } from "./Benchmark.ts"
import { awaitIdle } from "./Cameras.ts"
import { asPackaged } from "./PingPong.ts"
import { startReady } from "./Service.ts"
import { median, summary } from "./Statistics.ts"

/** A player comes for an idle camera: from its DESCRIBE to the first packet of a keyframe. */
export const describe: Benchmark = async ({ say, times }) => {
  // so short that the camera is soon idle again
  await using service = await startReady(1, { STREAMS_VIEWER_LINGER_SECONDS: 0, STREAMS_START_TIMEOUT_SECONDS: 2 })
  using rpc = await service.connect()
  const { ports, token } = service.ground
  const read = readRtsp({ port: ports.MEDIAMTX_RTSP_PORT, path: "camera0", query: `?token=${token}` }).pipe(
    Effect.flatMap(({ firstKeyframe }) => firstKeyframe),
    Effect.scoped
  )
  const measure = async () => {
    const samples: Array<number> = []
    for (let i = 0; i < times(20); i++) {
      await awaitIdle(rpc, "camera0")
      samples.push(await Effect.runPromise(read))
      say(`reader ${i + 1}`)
    }
    return samples
  }
  const asItIs = await measure()
  using packaged = asPackaged()
  if (packaged === undefined) {
    return [{ name: "describe.keyframe", value: median(asItIs), detail: summary(asItIs) }]
  }
  const samples = await measure()
  const detail = `${summary(samples)}; kernel not set as the package sets it: ${summary(asItIs)}`
  return [{ name: "describe.keyframe", value: median(samples), detail }]
}
