/**
 * The tour of `scripts/demo`, and of `camera-service demo` where npm has installed it: the service as its own process,
 * everything else through the typed client.
 */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { RecordingStatusUpdate } from "../schema/Recording.ts"
import { CameraClient } from "../schema/client/CameraClient.ts"
import { startCollector, traceTree } from "./tour/Collector.ts"
import { startService } from "./tour/Service.ts"

const help = `demo: starts the service (the cameras that are there; two synthetic ones where there are none), makes a short tour
through the typed client, and serves until Ctrl-C

  --once        ends after the tour, with status 0 when all went well
  -h, --help    this

Ports and folders are the service's own settings: see camera-service config show.
`

const known = { once: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const
/** The options; what there is not ends it with status 64 (sysexits.h, EX_USAGE). */
const optionsIn = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({ args: [...args], options: known }).values
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n${help}`)
    return process.exit(64)
  }
}

const { help: isHelp = false, once = false } = optionsIn(process.argv.slice(2))
if (isHelp) {
  process.stdout.write(help)
  process.exit(0)
}
const program = join(import.meta.dirname, "camera-service")

const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text)
const heading = (text: string) => Console.log(`\n${bold(text)}`)
const line = (label: string, text: string) => Console.log(`  ${label.padEnd(14)} ${text}`)
const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`

/** A value of the configuration as it is in force. */
const readSettings = (): ((key: string) => string) => {
  const shown = execFileSync(program, ["config", "show", "--json"], { encoding: "utf8" })
  const report = JSON.parse(shown) as Readonly<Record<string, { readonly value: unknown } | undefined>>
  return (key) => {
    const known = report[key]
    if (known === undefined) throw new Error(`the configuration has no key ${key}: camera-service config show`)
    return String(known.value)
  }
}

const tour = Effect.fnUntraced(function* (service: { readonly url: string; readonly token: Redacted.Redacted }) {
  const { call, notifications } = yield* CameraClient.make(service)

  yield* heading("Cameras")
  const { cameras } = yield* call.get_camera_list({})
  for (const { device, fps, name, resolution, status } of cameras) {
    yield* line(device, `${name}, ${resolution} at ${fps}/s, ${status}`)
  }
  const camera = cameras.find(({ status }) => status === "CONNECTED")
  if (camera === undefined) return yield* Effect.die("no camera is connected")
  const { device } = camera

  yield* heading("Snapshots")
  for (const what of ["idle camera", "at hand", "a fresh one"]) {
    const picture = yield* call.take_snapshot({ device, ...(what === "a fresh one" ? { max_age_ms: 0 } : {}) })
    yield* line(
      what,
      `tier ${picture.tier} (${picture.tier_name}) in ${picture.capture_ms} ms, ${picture.age_ms} ms old, ` +
        `${picture.width}x${picture.height}, ${kilobytes(picture.file_size)}: ${picture.filename}`
    )
  }

  yield* heading("A recording of 5 seconds")
  const stopped = yield* notifications.pipe(
    Stream.filter((notification) => notification.method === "recording_status_update"),
    Stream.map(({ params }) => params as RecordingStatusUpdate),
    Stream.tap(({ duration, filename, reason, status }) =>
      line("notification", `${status} after ${duration} s ${filename}${reason === undefined ? "" : ` (${reason})`}`)
    ),
    Stream.filter(({ status }) => status === "STOPPED"),
    Stream.runHead,
    Effect.forkChild({ startImmediately: true })
  )
  const started = yield* call.start_recording({ device, duration: 5 })
  yield* line("reply", `${started.status}, bytes are on disk: ${started.filename}`)
  yield* Effect.timeout(Fiber.join(stopped), "30 seconds")
  const info = yield* call.get_recording_info({ filename: started.filename })
  yield* line(
    "on disk",
    `${info.duration} s of ${info.codec} ${info.width}x${info.height}, ${kilobytes(info.file_size)}`
  )

  yield* heading("The stream")
  const status = yield* call.get_stream_status({ device })
  const { codec, metrics } = status
  const conforms = codec.conformant ? "as the profile demands" : "NOT as the profile demands"
  yield* line(status.status, `${codec.profile} ${codec.level}, ${codec.width}x${codec.height}: ${conforms}`)
  yield* line("FFmpeg", `pid ${status.ffmpeg_process.pid}, ${metrics.fps} frames/s, ${metrics.frames_sent} so far`)
  yield* call.stop_streaming({ device })
  yield* line("stopped", "nobody needs it any more, so its FFmpeg is gone")

  yield* heading("Files")
  for (const [label, list] of [
    ["recordings", yield* call.list_recordings({ limit: 3 })],
    ["snapshots", yield* call.list_snapshots({ limit: 3 })]
  ] as const) {
    yield* line(label, `${list.total}, the newest: ${list.files.map(({ filename }) => filename).join(", ")}`)
  }
  // a key is short enough for every player, and opens nothing else
  return (yield* call.create_viewing_key({ device })).streams
})

const demo = Effect.gen(function* () {
  const collector = yield* startCollector
  // cameras that are there come first; a machine with none gets two that FFmpeg makes
  const hasVideo = readdirSync("/dev").some((name) => /^video\d+$/.test(name))
  const environment = {
    CAMERA_SERVICE_TELEMETRY_OTLP_ENDPOINT: collector.endpoint,
    ...(hasVideo ? {} : { CAMERA_SERVICE_CAMERAS_SYNTHETIC: "2" })
  }
  yield* heading("Starting the service")
  const setting = readSettings()
  const began = performance.now()
  yield* startService(program, environment, `http://127.0.0.1:${setting("health.port")}/health/ready`)
  const token = execFileSync(program, ["token", "--role", "admin", "--user", "demo"], { encoding: "utf8" }).trim()
  const url = `ws://127.0.0.1:${setting("server.port")}/ws`
  yield* line("ready", `in ${Math.round(performance.now() - began)} ms`)

  const { hls, rtsp, webrtc } = yield* Effect.scoped(tour({ url, token: Redacted.make(token) }))

  yield* heading("The trace of the first snapshot")
  const tree = yield* Effect.sync(() => traceTree(collector.spans(), "rpc take_snapshot")).pipe(
    Effect.repeat({ until: (rows) => rows.length > 0, schedule: Schedule.spaced("100 millis") }),
    Effect.timeout("10 seconds")
  )
  for (const row of tree) yield* Console.log(`  ${row}`)

  if (once) return
  yield* heading("Serving until Ctrl-C")
  yield* line("console", `http://127.0.0.1:${setting("server.port")}/#token=${token}`)
  yield* line("JSON-RPC", url)
  yield* line("RTSP", rtsp)
  yield* line("HLS", hls)
  yield* line("in a browser", webrtc.replace("/whep?", "?"))
  yield* line("health", `http://127.0.0.1:${setting("health.port")}/health`)
  yield* line("TOKEN", token)
  return yield* Effect.never
})

const failureOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

const main = Effect.runFork(Effect.scoped(demo))
const end = () => void Effect.runFork(Fiber.interrupt(main))
process.on("SIGINT", end)
process.on("SIGTERM", end)
process.on("SIGHUP", end)
// who reads it went (| head), or it cannot be written: nobody sees the tour any more
process.stdout.on("error", end)
process.stderr.on("error", () => {})
process.on("uncaughtException", (error) => {
  process.stderr.write(`\ndemo: FAILED: ${error.message}\n`)
  process.exitCode = 1
  end()
})
main.addObserver((exit) => {
  const interrupted = exit._tag === "Failure" && exit.cause.reasons.every(({ _tag }) => _tag === "Interrupt")
  if (exit._tag === "Failure" && !interrupted) process.stderr.write(`\ndemo: FAILED: ${failureOf(exit.cause)}\n`)
  process.exit(exit._tag === "Success" || interrupted ? process.exitCode : 1)
})
