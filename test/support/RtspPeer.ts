import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { eventually } from "./Eventually.ts"
import { freePorts } from "./FreePorts.ts"

/** A MediaMTX that plays a camera in the network: it wants this login, as Digest (MD5 or SHA-256), and has one stream. */
export const peerLogin = { user: "operator", password: "canary-of-a-peer" }

export const urlWithLogin = (url: string): string => url.replace("//", `//${peerLogin.user}:${peerLogin.password}@`)

const pem = join(import.meta.dirname, "../fixtures/self-signed.pem")
/** What it shows over TLS; it signed that itself. */
export const certificate = {
  fingerprint: new X509Certificate(readFileSync(pem)).fingerprint256.replaceAll(":", "").toLowerCase()
}

const configuration = (rtsp: number, secure: number, api: number): string =>
  JSON.stringify({
    logLevel: "warn",
    api: true,
    apiAddress: `127.0.0.1:${api}`,
    rtsp: true,
    rtspAddress: `127.0.0.1:${rtsp}`,
    rtspEncryption: "optional",
    rtspsAddress: `127.0.0.1:${secure}`,
    rtspServerKey: pem,
    rtspServerCert: pem,
    rtspTransports: ["tcp"],
    rtspAuthMethods: ["digest"],
    ...{ rtmp: false, hls: false, webrtc: false, srt: false, moq: false },
    authInternalUsers: [
      { user: "any", ips: ["127.0.0.1"], permissions: [{ action: "api" }, { action: "publish" }] },
      { user: peerLogin.user, pass: peerLogin.password, permissions: [{ action: "read" }] }
    ],
    paths: { all_others: {} }
  })

/** A program for as long as the scope lives, and no longer than this process: a benchmark that is broken off closes no scope. */
export const child = (program: string, args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const spawned = spawn(program, args, { stdio: "ignore" })
      const kill = () => void spawned.kill("SIGKILL")
      process.once("exit", kill)
      spawned.once("exit", () => process.off("exit", kill))
      return spawned
    }),
    (spawned) =>
      Effect.callback<void>((resume) => {
        if (spawned.exitCode !== null || spawned.signalCode !== null) return resume(Effect.void)
        spawned.once("exit", () => resume(Effect.void))
        spawned.kill("SIGKILL")
      })
  )

/** Four seconds of H.264 in a file (MP4), a keyframe each half second. */
export const makeVideo = (folder: string): string => {
  const file = join(folder, "camera.mp4")
  const picture = ["-f", "lavfi", "-i", "testsrc2=s=640x480:r=25", "-t", "4"]
  const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "12"]
  const profile = ["-profile:v", "baseline", "-level:v", "3.0", "-b:v", "1000k"]
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...picture, ...h264, ...profile, file])
  return file
}

export interface RtspPeer {
  readonly url: string
  readonly port: number
  /** of RTSP over TLS */
  readonly securePort: number
  /** sessions that read the stream now */
  readonly readers: Effect.Effect<number>
  /** what it shows goes away, as when a camera restarts */
  readonly stop: Effect.Effect<void>
  readonly publish: Effect.Effect<void>
}

/** As long as the scope lives; it shows this video again and again. */
export const startPeer = Effect.fnUntraced(function* (folder: string, video: string) {
  const [port = 0, securePort = 0, api = 0] = yield* freePorts(3)
  const file = join(folder, "peer.yml")
  writeFileSync(file, configuration(port, securePort, api))
  yield* child("mediamtx", [file])
  const scope = yield* Effect.scope
  const publishedAt = `rtsp://127.0.0.1:${port}/live`
  const ask = (path: string) =>
    Effect.promise(async () => (await (await fetch(`http://127.0.0.1:${api}/v3/${path}`)).json()) as Answer)
  const isShown = Effect.map(ask("paths/list"), ({ items }) => items?.some(({ ready }) => ready === true))
  yield* eventually(
    "the peer answers",
    Effect.map(ask("info"), () => true)
  )
  let publisher: ChildProcess | undefined
  const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", video]
  const output = ["-c", "copy", "-f", "rtsp", "-rtsp_transport", "tcp", publishedAt]
  const publish = Effect.gen(function* () {
    publisher = yield* Effect.provideService(child("ffmpeg", [...input, ...output]), Scope.Scope, scope)
    yield* eventually("the peer has its stream", isShown)
  })
  yield* publish
  return {
    url: publishedAt,
    port,
    securePort,
    readers: Effect.map(
      ask("rtspsessions/list"),
      ({ items = [] }) => items.filter(({ state }) => state === "read").length
    ),
    stop: Effect.sync(() => void publisher?.kill("SIGKILL")),
    publish
  } satisfies RtspPeer as RtspPeer
})

/** A camera played by GStreamer, as long as the scope lives, that sends what this pipeline makes. */
export const startGstreamer = Effect.fnUntraced(function* (pipeline: string) {
  const [port = 0] = yield* freePorts(1)
  const script = join(import.meta.dirname, "gst_camera.py")
  yield* child("/usr/bin/python3", [script, String(port), peerLogin.user, peerLogin.password, pipeline])
  const knocks = Effect.callback<void, Error>((resume) => {
    const socket = connect(port, "127.0.0.1", () => resume(Effect.void))
    socket.once("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => socket.destroy())
  })
  yield* eventually(
    "GStreamer listens",
    Effect.map(knocks, () => true)
  )
  return { port, url: `rtsp://127.0.0.1:${port}/subject` }
})

interface Answer {
  readonly items?: ReadonlyArray<{ readonly ready?: boolean; readonly state?: string }>
}
