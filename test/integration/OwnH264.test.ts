import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { execFile, execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Devices } from "../../src/device/Devices.ts"
import { meanLuma } from "../../src/media/Luma.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { found } from "../device/InMemory.ts"
import { take } from "../suites/snapshots.ts"
import { codecOf, readyStream } from "../suites/streams.ts"
import { realPrograms } from "../support/App.ts"
import { until } from "../support/Ground.ts"

/** FFmpeg with a camera that is a file: what reads V4L2 reads that, at the camera's pace. */
const fileCamera = (folder: string) => `#!/bin/bash
args=()
while [ $# -gt 0 ]; do
  case $1 in
    v4l2) args+=(nut -re) ;;
    -input_format) format=$2; shift ;;
    -video_size | -framerate) shift ;;
    /dev/video0) args+=("${folder}/camera.$format") ;;
    *) args+=("$1") ;;
  esac
  shift
done
exec ffmpeg "\${args[@]}"
`

const ffmpeg = (...args: ReadonlyArray<string>) =>
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], { maxBuffer: 64 << 20 })

/** Twelve seconds of H.264 of this level, as a camera makes it: parameter sets before each keyframe, one a second. */
const makeCamera = (folder: string, level: string) => {
  writeFileSync(join(folder, "ffmpeg"), fileCamera(folder), { mode: 0o755 })
  const picture = ["-f", "lavfi", "-i", "testsrc2=s=640x480:r=30", "-t", "12"]
  const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "30"]
  const raw = join(folder, "camera.raw")
  ffmpeg(...picture, ...h264, "-profile:v", "baseline", "-level:v", level, "-b:v", "1000k", "-f", "h264", raw)
  // packets that are whole frames, as a driver's buffers are
  ffmpeg("-f", "h264", "-framerate", "30", "-i", raw, "-c", "copy", "-f", "nut", join(folder, "camera.h264"))
}

const plugIn = Effect.gen(function* () {
  const devices = yield* Devices
  const formats = [{ pixelFormat: "H264", sizes: [{ width: 640, height: 480, rates: [30] }] }]
  const { id } = yield* devices.attach(found("usb:1", { formats }))
  return id
})

/** The slices (NAL units 1 and 5) of a byte stream. */
const slicesOf = (stream: Buffer): ReadonlyArray<string> =>
  stream
    .toString("latin1")
    .split("\0\0\x01")
    .filter((nal) => [1, 5].includes(nal.charCodeAt(0) & 0x1f))
    .map((nal) => nal.replace(/\0+$/, ""))

/** Thirty frames of what MediaMTX gives its readers. */
const readStream = Effect.fnUntraced(function* (camera: string, folder: string) {
  const { mediamtx } = (yield* Settings).boot
  const tokens = yield* Tokens
  const token = yield* tokens.sign({ userId: "viewer", role: "viewer", timeToLive: Duration.minutes(1) })
  const url = `rtsp://127.0.0.1:${mediamtx.rtsp_port}/${camera}?token=${Redacted.value(token)}`
  const out = join(folder, "read.h264")
  const input = ["-v", "error", "-nostdin", "-y", "-rtsp_transport", "tcp", "-i", url]
  yield* Effect.promise(() => promisify(execFile)("ffmpeg", [...input, "-frames:v", "30", "-c", "copy", out]))
  return readFileSync(out)
})

describe("a camera with H.264 of its own", () => {
  realPrograms.starts("that meets the profile is published bit by bit, and gives pictures", (run, folder) =>
    Effect.suspend(() => {
      makeCamera(folder, "3.0")
      return run(
        folder,
        Effect.gen(function* () {
          const camera = yield* plugIn
          const snapshot = yield* take({ camera })
          assert.strictEqual(snapshot.capture.name, "activated")
          assert.deepInclude(snapshot.picture, { width: 640, height: 480 })
          assert.isAbove(meanLuma(snapshot.picture.jpeg) ?? 0, 100)
          const stream = yield* readyStream(camera)
          assert.strictEqual(stream.run?.making?.encoder.name, "copy")
          assert.deepInclude(codecOf(stream), { profile: "constrained baseline", level: "3.0", conformant: true })
          const slices = slicesOf(yield* readStream(camera, folder))
          const own = new Set(slicesOf(readFileSync(join(folder, "camera.raw"))))
          assert.isAbove(slices.length, 20)
          assert.deepEqual(
            slices.filter((slice) => !own.has(slice)),
            []
          )
          const fresh = yield* take({ camera, maxAge: 0 })
          assert.strictEqual(fresh.capture.name, "live")
          assert.strictEqual(stream.restarts, 0)
        }),
        { ffmpeg: { binary: join(folder, "ffmpeg") } }
      )
    })
  )

  realPrograms.starts("that does not meet it is decoded and encoded, now and the next time", (run, folder) =>
    Effect.suspend(() => {
      makeCamera(folder, "4.0")
      return run(
        folder,
        Effect.gen(function* () {
          const streams = yield* Streams
          const camera = yield* plugIn
          const first = yield* Scope.make()
          const stream = yield* readyStream(camera).pipe(Scope.provide(first))
          const codec = yield* until(
            "the stream's SPS",
            Effect.sync(() => codecOf(stream))
          )
          assert.deepInclude(codec, { profile: "constrained baseline", level: "3.0", conformant: true })
          assert.strictEqual(stream.run?.making?.encoder.name, "libx264")
          assert.include(stream.run?.making?.why, "it is constrained baseline 4.0")
          assert.strictEqual(stream.restarts, 1)
          yield* until("a picture", Effect.sync(stream.pictures.latest))
          yield* Scope.close(first, Exit.void)
          assert.isUndefined(streams.current(camera))
          const next = yield* readyStream(camera)
          assert.strictEqual(next.restarts, 0)
          assert.strictEqual(next.run?.making?.encoder.name, "libx264")
        }),
        { ffmpeg: { binary: join(folder, "ffmpeg") }, streams: { viewer_linger_seconds: 0 } }
      )
    })
  )
})
