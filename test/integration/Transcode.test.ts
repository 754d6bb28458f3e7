import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFile, execFileSync } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import type { Sent } from "../../src/device/Input.ts"
import { Trials } from "../../src/rtsp/Trials.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { codecOf } from "../suites/streams.ts"
import { realPrograms } from "../support/App.ts"
import { eventually } from "../support/Eventually.ts"
import { openPage } from "../support/browser/Browser.ts"
import { attachCamera } from "../support/NetworkCamera.ts"
import { readRtsp } from "../support/RtspReader.ts"
import { peerLogin, startPeer } from "../support/RtspPeer.ts"

interface Shown {
  readonly streams: ReadonlyArray<Readonly<Record<string, string | number>>>
  readonly frames: ReadonlyArray<{ readonly pict_type: string }>
}

/** A video that a camera may send, with AAC: four seconds, a keyframe each second. */
const videos: Readonly<Record<string, readonly [sends: Sent, encoder: ReadonlyArray<string>]>> = {
  "H.265": [
    { codec: "h265", width: 1280, height: 720, rate: 25, audioCodec: "mpeg4-generic" },
    ["libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=25:min-keyint=25"]
  ],
  "H.264 with B-frames": [
    { codec: "h264", width: 1280, height: 720, rate: 25, profile: "main", hasBFrames: true },
    ["libx264", "-preset", "veryfast", "-profile:v", "main", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p"]
  ]
}

const makeVideo = (folder: string, encoder: ReadonlyArray<string>): string => {
  const file = join(folder, "camera.mp4")
  const input = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25", "-f", "lavfi", "-i", "sine=r=48000", "-t", "4"]
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...input, "-c:v", ...encoder, "-c:a", "aac", file])
  return file
}

/** Runs in the page: a picture is there, and it moves. */
const isPlaying = () => {
  const video = document.querySelector("video")
  return video !== null && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.currentTime > 0.5
}

const tracks = () => {
  const video = document.querySelector("video")
  const { videoHeight: height = 0, videoWidth: width = 0 } = video ?? {}
  return {
    width,
    height,
    sounds: video?.srcObject instanceof MediaStream ? video.srcObject.getAudioTracks().length : 0
  }
}

/** What ffprobe sees in the first second of a stream. */
const look = Effect.fnUntraced(function* (url: string) {
  const show = ["-show_entries", "stream=codec_name,profile,level,width,height,has_b_frames:frame=pict_type"]
  const args = ["-v", "error", "-rtsp_transport", "tcp", "-of", "json", ...show, "-read_intervals", "%+1", url]
  const { stdout } = yield* Effect.tryPromise(() => promisify(execFile)("ffprobe", args))
  return JSON.parse(stdout) as Shown
})

describe("the transcode of a camera in the network, played by another MediaMTX", () => {
  for (const [name, [sends, encoder]] of Object.entries(videos)) {
    realPrograms.starts(
      `of ${name} is H.264 without B-frames, and Opus, which Chromium plays over WebRTC`,
      (run, folder) =>
        Effect.gen(function* () {
          const peer = yield* startPeer(folder, makeVideo(folder, encoder))
          const credentials = {
            user: peerLogin.user,
            password: Redacted.make(peerLogin.password),
            mayBeSentInClear: false,
            trials: new Trials(() => 0)
          }
          const target = { address: "127.0.0.1", port: peer.port, url: peer.url, isSecure: false, credentials }
          yield* run(
            folder,
            Effect.gen(function* () {
              const { mediamtx } = (yield* Settings).boot
              const streams = yield* Streams
              const tokens = yield* Tokens
              const token = Redacted.value(
                yield* tokens.sign({ userId: "viewer", role: "viewer", timeToLive: Duration.minutes(1) })
              )
              const { id } = yield* attachCamera(target, sends)
              const path = `${id}_h264`
              yield* (yield* Paths).awaitPath(path)
              const millis = yield* Effect.scoped(
                Effect.flatMap(
                  readRtsp({ port: mediamtx.rtsp_port, path, query: `?token=${token}` }),
                  ({ firstKeyframe }) => firstKeyframe
                )
              )
              console.log(`${name}: first keyframe after ${millis} ms`)
              const seen = yield* look(`rtsp://127.0.0.1:${mediamtx.rtsp_port}/${path}?token=${token}`)
              assert.deepInclude(seen.streams[0], {
                ...{ codec_name: "h264", profile: "Constrained Baseline", level: 30, width: 844, height: 474 },
                has_b_frames: 0
              })
              assert.strictEqual(seen.streams[1]?.["codec_name"], "opus")
              assert.notInclude(JSON.stringify(seen.frames), '"B"')
              const page = yield* openPage
              const played = yield* Effect.promise(async () => {
                await page.goto(`http://127.0.0.1:${mediamtx.webrtc_port}/${path}/?token=${token}`)
                await page.waitForFunction(isPlaying, undefined, { timeout: 60_000 })
                return page.evaluate(tracks)
              })
              assert.deepStrictEqual(played, { width: 844, height: 474, sounds: 1 })
              assert.strictEqual(yield* peer.readers, 1)
              const stream = streams.current(path)
              if (stream === undefined) return assert.fail("it has ended")
              yield* eventually(
                "its SPS was read",
                Effect.sync(() => codecOf(stream) !== undefined)
              )
              assert.isTrue(codecOf(stream)?.conformant)
              assert.strictEqual(stream.restarts, 0)
            })
          )
        }).pipe(Effect.scoped)
    )
  }
})
