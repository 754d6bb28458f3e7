import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { usbCamera } from "../../testing/Sysfs.ts"
import type { Benchmark } from "./Benchmark.ts"
import { onPlayedKernel } from "./PlayedKernel.ts"
import { connect } from "./Rpc.ts"
import { percentile, summary } from "./Statistics.ts"
import { pause, until } from "./Waiting.ts"

const rate = 30
const device = "camera0"

/** FFmpeg, which reads frames as a camera gives them from a file instead of from the node; all else is as it is asked. */
const readingFile = (frames: string): string => `#!/bin/bash
args=()
while [ $# -gt 0 ]; do
  if [ "$1" = -f ] && [ "$2" = v4l2 ]; then
    while [ "$1" != -i ]; do shift; done
    shift 2
    args+=(-stream_loop -1 -re -f mjpeg -framerate ${rate} -i '${frames}')
  else
    args+=("$1")
    shift
  fi
done
exec ffmpeg "\${args[@]}"
`

/**
 * Snapshots that are no older than the call, of a camera that gives 30 JPEG pictures a second, here: the virtual
 * machine's FFmpeg, which the same camera streams to there, is emulated and takes longer for a frame than the frame lasts.
 */
export const mjpeg: Benchmark = async ({ say, times }) => {
  const folder = mkdtempSync(join(tmpdir(), "camera-service-bench-"))
  try {
    const frames = join(folder, "frames.mjpeg")
    const pattern = ["-f", "lavfi", "-i", `testsrc2=size=640x480:rate=${rate}:duration=10`]
    execFileSync("ffmpeg", ["-loglevel", "error", ...pattern, "-q:v", "5", "-f", "mjpeg", frames])
    const binary = join(folder, "ffmpeg")
    writeFileSync(binary, readingFile(frames))
    chmodSync(binary, 0o755)
    return await onPlayedKernel({ settings: { FFMPEG_BINARY: binary }, formats: ["MJPG"] }, async (kernel, service) => {
      await Effect.runPromise(kernel.describe("video0", usbCamera({ port: "1-1", serial: "SN1" })))
      await Effect.runPromise(kernel.appear("video0"))
      using rpc = await connect(service.url, service.ground.token)
      await until("the camera streams", async () => {
        try {
          await rpc.call("start_streaming", { device })
          return true
        } catch {
          // it is not there yet
          return false
        }
      })
      say("snapshots of JPEG frames")
      const fresh: Array<number> = []
      for (let i = 0; i < times(200); i++) {
        const began = performance.now()
        const { tier } = await rpc.call<{ readonly tier: number }>("take_snapshot", { device, max_age_ms: 0 })
        if (tier !== 1) throw new Error(`tier ${tier} answered, not 1`)
        fresh.push(performance.now() - began)
        await pause((Math.random() * 1000) / rate)
      }
      return [{ name: "mjpeg.fresh", value: percentile(fresh, 0.95), detail: summary(fresh) }]
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
