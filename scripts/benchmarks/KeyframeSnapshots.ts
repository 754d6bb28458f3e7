import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { type RtspPeer, startPeer, urlWithLogin } from "../../test/support/RtspPeer.ts"
import { readRtsp } from "../../test/support/RtspReader.ts"
import type { Benchmark, Measurement } from "./Benchmark.ts"
import { makeIdle } from "./Cameras.ts"
import { type Go2rtc, go2rtcToo } from "./Go2rtc.ts"
import type { Rpc } from "./Rpc.ts"
import { makeGround, startReady } from "./Service.ts"
import { percentile, slowest, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

/** Milliseconds between two keyframes. */
const interval = 1000

/** As a network camera has them: 1080p at 25, with a little noise, 4 and 2 Mbit/s, a keyframe a second. */
const encoders = {
  h264: [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-profile:v",
    "high",
    "-bf",
    "0",
    "-g",
    "25",
    "-sc_threshold",
    "0",
    "-b:v",
    "4M"
  ],
  h265: ["-c:v", "libx265", "-preset", "superfast", "-x265-params", "keyint=25:bframes=0:log-level=0", "-b:v", "2M"]
}

const makeVideo = (folder: string, codec: keyof typeof encoders): string => {
  const file = join(folder, `${codec}.mp4`)
  const picture = ["-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=25,noise=alls=6:allf=t", "-t", "8"]
  const output = [...encoders[codec], "-maxrate", "4M", "-bufsize", "2M", "-pix_fmt", "yuv420p", file]
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...picture, ...output])
  return file
}

interface Snapshot {
  readonly tier_name: string
  readonly age_ms: number
}

const take = async (rpc: Rpc, device: string, tier: string) => {
  const began = performance.now()
  const { age_ms, tier_name } = await rpc.call<Snapshot>("take_snapshot", { device, max_age_ms: 2 * interval })
  if (tier_name !== tier) throw new Error(`${tier_name} answered, not ${tier}`)
  return { took: performance.now() - began, age: age_ms }
}

/** Of a keyframe at hand, so many keyframes after the picture before, by turns. */
const measureWarm = async (rpc: Rpc, device: string, count: number, steps: ReadonlyArray<number>) => {
  await rpc.call("start_streaming", { device })
  let { age } = await take(rpc, device, "live")
  const samples: Array<number> = []
  for (let i = 0; i < count; i++) {
    const step = steps[i % steps.length] ?? 1
    await pause(step * interval - age + (0.1 + 0.6 * Math.random()) * interval)
    const next = await take(rpc, device, "live")
    samples.push(next.took)
    age = next.age
  }
  return samples
}

const measureCold = async (rpc: Rpc, device: string, count: number): Promise<ReadonlyArray<number>> => {
  const samples: Array<number> = []
  for (let i = 0; i < count; i++) {
    await makeIdle(rpc, device)
    await pause(Math.random() * interval)
    samples.push((await take(rpc, device, "activated")).took)
  }
  return samples
}

/** The same of go2rtc, at any time; somebody else reads the stream meanwhile, or nobody does. */
const measureGo2rtc = Effect.fnUntraced(function* ({ picture, rtsp }: Go2rtc, isRead: boolean, count: number) {
  if (isRead) yield* Effect.flatMap(readRtsp({ port: rtsp, path: "camera" }), ({ firstPacket }) => firstPacket)
  const samples: Array<number> = []
  for (let i = 0; i < count; i++) {
    yield* Effect.promise(() => pause(Math.random() * interval))
    samples.push(yield* picture)
  }
  return samples
})

const measure = async (codec: string, { url }: RtspPeer, times: (count: number) => number) => {
  await using service = await startReady(0, { EXTERNAL_ALLOWED_HOSTS: "127.0.0.1/32" })
  using rpc = await service.connect()
  const { device } = await rpc.call<{ readonly device: string }>("add_external_stream", {
    stream_url: urlWithLogin(url),
    stream_name: codec
  })
  const cold = await measureCold(rpc, device, times(20))
  // none is made beforehand of keyframes at odd times; at regular ones it takes two to know them
  const odd = await measureWarm(rpc, device, times(30), [2, 6])
  const [, , ...regular] = await measureWarm(rpc, device, times(30), [2])
  return { cold, odd, regular }
}

/** Snapshots of network cameras, as the client waits for them: another MediaMTX plays the camera. */
export const keyframeSnapshots: Benchmark = async ({ say, times }) => {
  using ground = await makeGround()
  const rows: Array<Measurement> = []
  for (const codec of ["h264", "h265"] as const) {
    say(`snapshots of a 1080p camera, ${codec}`)
    const measured = Effect.gen(function* () {
      const peer = yield* startPeer(ground.folder, makeVideo(ground.folder, codec))
      const { cold, odd, regular } = yield* Effect.promise(() => measure(codec, peer, times))
      const go2rtc = (isRead: boolean) =>
        go2rtcToo(urlWithLogin(peer.url), (it) => measureGo2rtc(it, isRead, times(10)))
      return [
        {
          name: `external.snapshot_${codec}`,
          value: percentile(odd, 0.95),
          detail: `${summary(odd)}; ${yield* go2rtc(true)}`
        },
        { name: `external.snapshot_${codec}_regular`, value: percentile(regular, 0.95), detail: summary(regular) },
        {
          name: `external.snapshot_${codec}_cold`,
          value: slowest(cold) - interval,
          detail: `whole: ${summary(cold)}; ${yield* go2rtc(false)}`
        }
      ]
    })
    rows.push(...(await Effect.runPromise(Effect.scoped(measured))))
  }
  return rows
}
