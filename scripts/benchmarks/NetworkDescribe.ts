import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { readRtsp } from "../../test/support/RtspReader.ts"
import { peerLogin, startGstreamer } from "../../test/support/RtspPeer.ts"
import type { Benchmark } from "./Benchmark.ts"
import { awaitIdle, makeIdle } from "./Cameras.ts"
import { makeGround, startReady } from "./Service.ts"
import { median, summary } from "./Statistics.ts"

/** 720p at 25, a keyframe every two seconds; main profile with B-frames, or none. */
const makeVideo = (folder: string, bFrames: number): string => {
  const file = join(folder, `${bFrames}.mp4`)
  const picture = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25", "-t", "20"]
  const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-bf", String(bFrames), "-g", "50"]
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...picture, ...h264, "-pix_fmt", "yuv420p", file])
  return file
}

/** From the DESCRIBE of a player, who comes for this path of an idle camera, to the first packet of a keyframe. */
const measure = async (url: string, path: string, count: number): Promise<ReadonlyArray<number>> => {
  await using service = await startReady(0, {
    EXTERNAL_ALLOWED_HOSTS: "127.0.0.1/32",
    // so short that the camera is soon idle again, and longer than the camera's keyframes are apart
    STREAMS_VIEWER_LINGER_SECONDS: 0,
    STREAMS_START_TIMEOUT_SECONDS: 4
  })
  using rpc = await service.connect()
  const stream_url = url.replace("//", `//${peerLogin.user}:${peerLogin.password}@`)
  const { device } = await rpc.call<{ readonly device: string }>("add_external_stream", {
    stream_url,
    stream_name: path
  })
  // its paths are there then
  await rpc.call("start_streaming", { device })
  await makeIdle(rpc, device)
  const { ports, token } = service.ground
  const read = readRtsp({ port: ports.MEDIAMTX_RTSP_PORT, path, query: `?token=${token}` }).pipe(
    Effect.flatMap(({ firstKeyframe }) => firstKeyframe),
    Effect.scoped
  )
  const samples: Array<number> = []
  for (let i = 0; i < count; i++) {
    await awaitIdle(rpc, device)
    samples.push(await Effect.runPromise(read))
  }
  return samples
}

/** A player comes for an idle camera in the network, which begins with a keyframe; GStreamer plays it. */
export const networkDescribe: Benchmark = async ({ say, times }) => {
  using ground = await makeGround()
  const measured = (bFrames: number, path: string) => {
    const file = makeVideo(ground.folder, bFrames)
    const pipeline = `( filesrc location=${file} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )`
    const samples = Effect.flatMap(startGstreamer(pipeline), ({ url }) =>
      Effect.promise(() => measure(url, path, times(10)))
    )
    return Effect.runPromise(Effect.scoped(samples))
  }
  say("the first picture of an idle camera")
  const own = await measured(0, "camera0")
  say("the first picture of its transcode")
  const transcode = await measured(2, "camera0_h264")
  return [
    { name: "external.describe", value: median(own), detail: summary(own) },
    { name: "external.transcode", value: median(transcode), detail: summary(transcode) }
  ]
}
