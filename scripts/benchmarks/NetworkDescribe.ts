import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { readRtsp } from "../../test/support/RtspReader.ts"
import { startGstreamer, urlWithLogin } from "../../test/support/RtspPeer.ts"
import type { Benchmark } from "./Benchmark.ts"
import { awaitIdle, makeIdle } from "./Cameras.ts"
import { go2rtcToo } from "./Go2rtc.ts"
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
  const { device } = await rpc.call<{ readonly device: string }>("add_external_stream", {
    stream_url: urlWithLogin(url),
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

/** The same of go2rtc, which leaves the camera as soon as its last player has gone. */
const measureGo2rtc = Effect.fnUntraced(function* (port: number, count: number) {
  const samples: Array<number> = []
  for (let i = 0; i < count; i++) {
    const reader = Effect.flatMap(readRtsp({ port, path: "camera" }), ({ firstKeyframe }) => firstKeyframe)
    samples.push(yield* Effect.scoped(reader))
    yield* Effect.sleep("500 millis")
  }
  return samples
})

/** A player comes for an idle camera in the network, which begins with a keyframe; GStreamer plays it. */
export const networkDescribe: Benchmark = async ({ say, times }) => {
  using ground = await makeGround()
  const camera = (bFrames: number) => {
    const file = makeVideo(ground.folder, bFrames)
    return startGstreamer(
      `( filesrc location=${file} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )`
    )
  }
  say("the first picture of an idle camera")
  const own = Effect.gen(function* () {
    const { url } = yield* camera(0)
    const samples = yield* Effect.promise(() => measure(url, "camera0", times(10)))
    return { samples, others: yield* go2rtcToo(urlWithLogin(url), ({ rtsp }) => measureGo2rtc(rtsp, times(10))) }
  })
  const { others, samples } = await Effect.runPromise(Effect.scoped(own))
  say("the first picture of its transcode")
  const transcode = await Effect.runPromise(
    Effect.scoped(Effect.flatMap(camera(2), ({ url }) => Effect.promise(() => measure(url, "camera0_h264", times(10)))))
  )
  return [
    { name: "external.describe", value: median(samples), detail: `${summary(samples)}; ${others}` },
    { name: "external.transcode", value: median(transcode), detail: summary(transcode) }
  ]
}
