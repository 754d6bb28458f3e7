import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { globSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openPage, servePlayer } from "../support/browser/Browser.ts"
import { playWhep } from "../support/browser/WhepPlayer.ts"
import { eventually } from "../support/Eventually.ts"
import { clientOf, SharedService } from "../support/Service.ts"

/** Programs that nobody here wrote, each at a camera that is idle until it comes. Who lacks one is told which. */

const has = (program: string, ...args: ReadonlyArray<string>) => spawnSync(program, args).status === 0
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? "", ".cache"), "camera-service")
const [opencv = ""] = globSync(join(cache, "opencv-python-headless/v*"))
const installed = {
  vlc: has("sh", "-c", "command -v cvlc"),
  mpv: has("mpv", "--version"),
  gstreamer: has("gst-inspect-1.0", "rtspsrc") && has("gst-inspect-1.0", "h264parse"),
  pyav: has("/usr/bin/python3", "-c", "import av"),
  opencv: has("/usr/bin/python3", "-c", `import sys; sys.path.insert(0, "${opencv}"); import cv2`)
}

/** What is not there by then hangs: each takes four seconds, and many times that where the machine is busy. */
const patience = { timeout: 60_000 }

/** Runs until it has seen its number of pictures, or is ended: what it said, if it ended well. */
const play = (program: string, args: ReadonlyArray<string>) =>
  Effect.callback<string, string>((resume) => {
    const player = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    player.stdout.setEncoding("utf8").on("data", (text: string) => void (said += text))
    player.stderr.setEncoding("utf8").on("data", (text: string) => void (said += text))
    player.once("close", (code) => resume(code === 0 ? Effect.succeed(said) : Effect.fail(`status ${code}: ${said}`)))
    return Effect.sync(() => void player.kill("SIGKILL"))
  }).pipe(Effect.timeout(patience.timeout))

let used = 0
/** An idle camera, as a player addresses it: the key is the password, or in the query. */
const idle = Effect.gen(function* () {
  const { ground, ...service } = yield* SharedService
  const client = yield* clientOf({ ...service }, { role: "viewer" })
  const device = `camera${used++}`
  const { viewing_key: key } = yield* client.call.create_viewing_key({ device })
  assert.strictEqual((yield* client.call.get_stream_status({ device })).status, "INACTIVE")
  const { hls, rtsp, server, webrtc } = ground.ports
  return {
    relayed: `http://127.0.0.1:${server}/hls/${device}/index.m3u8?token=${key}`,
    rtsp: `rtsp://viewer:${key}@127.0.0.1:${rtsp}/${device}`,
    hls: `http://127.0.0.1:${hls}/${device}/index.m3u8?token=${key}`,
    whep: `http://127.0.0.1:${webrtc}/${device}/whep?token=${key}`
  }
})

/** Pictures of two to three seconds. */
const pictures = 60

/** In a page: its video has got on for two seconds. */
const plays = () => (document.querySelector("video")?.currentTime ?? 0) > 2

const settings = { STREAMS_VIEWER_LINGER_SECONDS: "1" }

layer(SharedService.layer({ cameras: 15, settings }), { timeout: "120 seconds", excludeTestServices: true })(
  "an idle camera plays in",
  (it) => {
    /** Each waits for two to three seconds of pictures, and takes little of the machine meanwhile. */
    const beside = (...[name, play]: Parameters<typeof it.effect>) => it.effect(name, play, { concurrent: true })

    for (const protocol of ["rtsp", "hls"] as const) {
      beside(`ffprobe over ${protocol}`, () =>
        Effect.gen(function* () {
          const url = (yield* idle)[protocol]
          const transport = protocol === "rtsp" ? ["-rtsp_transport", "tcp"] : []
          const said = yield* play("ffprobe", [
            ...["-v", "error", ...transport, "-select_streams", "v", "-read_intervals", `%+#${pictures}`],
            ...["-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", url]
          ])
          assert.isAtLeast(Number.parseInt(said, 10), pictures - 2)
        })
      )

      beside(`mpv over ${protocol}`, ({ skip }) =>
        Effect.gen(function* () {
          if (!installed.mpv) skip("mpv is not installed")
          const url = (yield* idle)[protocol]
          const said = yield* play("mpv", [
            ...["--no-config", "--vo=null", "--ao=null", `--frames=${pictures}`],
            ...["--term-playing-msg=playing ${width}x${height}", url]
          ])
          assert.include(said, "playing 640x480")
        })
      )
    }

    // Debian builds it without its RTSP client (live555)
    for (const way of ["hls", "relayed"] as const) {
      beside(way === "hls" ? "VLC over hls" : "VLC over hls, through the service's own port", ({ skip }) =>
        Effect.gen(function* () {
          if (!installed.vlc) skip("vlc-bin and vlc-plugin-base are not installed")
          const hls = (yield* idle)[way]
          const folder = yield* Effect.acquireRelease(
            Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-vlc-"))),
            (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
          )
          // it refuses to run as root
          const isRoot = process.getuid?.() === 0
          if (isRoot) spawnSync("chown", ["nobody", folder])
          const as = isRoot ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] : []
          // every 25th picture that it shows becomes a file
          const scene = ["--video-filter=scene", "--scene-ratio=25", "--scene-format=jpg", `--scene-path=${folder}`]
          const command = [...as, "env", `HOME=${folder}`, "cvlc", "--no-audio", "--vout=dummy", ...scene, hls]
          const player = play(command[0] ?? "", command.slice(1))
          const shown = eventually(
            "VLC shows pictures",
            Effect.sync(() => readdirSync(folder).filter((name) => name.endsWith(".jpg")).length >= 3),
            patience.timeout
          )
          yield* Effect.raceFirst(shown, Effect.andThen(player, Effect.die("VLC ended")))
        })
      )
    }

    for (const protocol of ["rtsp", "hls"] as const) {
      beside(`GStreamer over ${protocol}`, ({ skip }) =>
        Effect.gen(function* () {
          if (!installed.gstreamer) skip("gstreamer1.0-tools, gstreamer1.0-plugins-good and -bad are not installed")
          const url = (yield* idle)[protocol]
          const source = {
            rtsp: ["rtspsrc", `location=${url}`, "protocols=tcp", "!", "rtph264depay"],
            hls: ["urisourcebin", `uri=${url}`, "parse-streams=true"]
          }
          // gst-launch pauses and goes on by how full hlsdemux2 says that it is; while its sink still prerolls, one in a
          // hundred of its 1.22 goes on for ever paused (gst_base_sink_wait_preroll), with pictures at hand
          const sink = ["fakesink", "async=false", `num-buffers=${pictures}`]
          yield* play("gst-launch-1.0", ["-q", ...source[protocol], "!", ...sink])
        })
      )
    }

    beside("PyAV over rtsp", ({ skip }) =>
      Effect.gen(function* () {
        if (!installed.pyav) skip("python3-av is not installed")
        const { rtsp } = yield* idle
        const script = `
import av, itertools, sys
container = av.open(sys.argv[1], options={"rtsp_transport": "tcp"})
print(sum(1 for _ in itertools.islice(container.decode(video=0), ${pictures})))`
        const said = yield* play("/usr/bin/python3", ["-c", script, rtsp])
        assert.strictEqual(said.trim(), String(pictures))
      })
    )

    beside("OpenCV over rtsp", ({ skip }) =>
      Effect.gen(function* () {
        if (!installed.opencv) skip("OpenCV is not in the cache of scripts/setup, or python3-numpy is not installed")
        const { rtsp } = yield* idle
        const script = `
import sys
sys.path.insert(0, sys.argv[1])
import cv2
camera = cv2.VideoCapture(sys.argv[2], cv2.CAP_FFMPEG)
shapes = [picture.shape for came, picture in (camera.read() for _ in range(${pictures})) if came]
print(camera.getBackendName(), len(shapes), *set(shapes))`
        const said = yield* play("/usr/bin/python3", ["-c", script, opencv, rtsp])
        assert.strictEqual(said.trim(), `FFMPEG ${pictures} (480, 640, 3)`)
      })
    )

    it.effect("hls.js, on a page of another origin", () =>
      Effect.gen(function* () {
        const { hls } = yield* idle
        const origin = yield* servePlayer
        const page = yield* openPage
        yield* Effect.promise(async () => {
          await page.goto(`${origin}/#${encodeURIComponent(hls)}`)
          await page.waitForFunction(plays, undefined, patience)
        })
      })
    )

    it.effect("a browser that speaks WHEP, on a page of another origin", () =>
      Effect.gen(function* () {
        const { whep } = yield* idle
        const origin = yield* servePlayer
        const page = yield* openPage
        yield* Effect.promise(async () => {
          await page.goto(`${origin}/#`)
          await playWhep(page, whep)
          await page.waitForFunction(plays, undefined, patience)
        })
      })
    )

    beside("whatever reads HLS: a playlist tells the same length of segments from the first on", () =>
      Effect.gen(function* () {
        const { hls } = yield* idle
        const text = (url: string) => Effect.promise(() => fetch(url).then((response) => response.text()))
        const [name = ""] = /^(?!#)\S+$/m.exec(yield* text(hls)) ?? []
        const durations = new Map<string, number>()
        yield* eventually(
          "ten segments",
          Effect.map(text(new URL(name, hls).href), (playlist) => {
            assert.include(playlist, "#EXT-X-TARGETDURATION:1\n")
            assert.notInclude(playlist, "gap.mp4")
            for (const [, duration, uri = ""] of playlist.matchAll(/#EXTINF:([0-9.]+),\n(?:#.*\n)*(\S+)/g)) {
              durations.set(uri, Number(duration))
            }
            return durations.size >= 10
          }),
          patience.timeout
        )
        const all = [...durations.values()]
        assert.isAtLeast(Math.min(...all), 0.5)
        assert.isBelow(Math.max(...all), 1.5)
        // past the first seconds' many keyframes they are equal
        assert.lengthOf(new Set(all.slice(-4).map((duration) => duration.toFixed(2))), 1)
      })
    )
  }
)
