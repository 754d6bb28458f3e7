import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { eventually } from "../Eventually.ts"
import { clientOf, type Service, startReady, statusOf } from "../Service.ts"

/*
 * What a client does on one of the machines of network.sh; prints as JSON what it was told, and the service's log. Its
 * argument is the folder where the camera notes how it is moved.
 */

const [, , folder = ""] = process.argv
const onvif = "http://admin:canary-of-a-camera@192.168.1.64:8080/onvif/device_service"

/** What the canaries have counted; `control`: once somebody went to each of them. */
const canaries = (path: "/" | "/control") =>
  Effect.promise(async () => (await (await fetch(`http://127.0.0.1:7778${path}`)).json()) as object)

const listens = (host: string, port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(port, host, () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => socket.destroy())
  })

/** How the camera was moved: `[millis, "move", 0.5, 0, 0]`. */
const noted = Effect.sync(() =>
  readFileSync(join(folder, "ptz.jsonl"), "utf8")
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as readonly [number, string, ...Array<unknown>])
)
const notes = (count: number) =>
  eventually(
    `the camera was told ${count} times`,
    Effect.map(noted, (all) => all.length >= count)
  )

/** Where no camera may be, in each way to write that, and names that stand for it. */
const forbidden = [
  ...["127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001", "0.0.0.0", "localhost"],
  ...["192.168.42.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "239.7.7.7", "255.255.255.255"],
  ...["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[fe80::1]", "[ff02::1]"],
  ...["[2002:7f00:1::1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[2001:db8::1]"],
  ...["both.test", "metadata.test", "mapped.test", "6to4.test", "nat64.test"]
]

/** The drone is added as it was found, tells where it is for two seconds, and is recorded meanwhile. */
const fly = Effect.fnUntraced(function* (service: Service) {
  const { call, notifications } = yield* clientOf(service, { role: "operator" })
  const stream = (port: number, path: string) => ({ stream_url: `rtsp://192.168.42.10:${port}/${path}` })
  const add = (stream_name: string, stream: { readonly stream_url: string }) =>
    call.add_external_stream({ ...stream, stream_name, stream_type: "skydio_stanag4609" })
  const { device } = yield* add("Drone", stream(5554, "subject"))
  const { device: infrared } = yield* add("Infrared", stream(6554, "infrared"))
  const silence = yield* Effect.flip(call.get_telemetry({ device: infrared }))
  const telling = yield* Effect.forkChild(
    notifications.pipe(
      Stream.map(({ method, params }) => (method === "event" && params.topic === "telemetry" ? [params.device] : [])),
      Stream.flatMap(Stream.fromIterable),
      Stream.take(10),
      Stream.runCollect
    ),
    { startImmediately: true }
  )
  yield* call.subscribe_events({ topics: ["telemetry"] })
  const { filename } = yield* call.start_recording({ device, format: "stanag4609" })
  const told = [...(yield* Fiber.join(telling))]
  yield* call.stop_recording({ device })
  const extracted = join(folder, "extracted.klv")
  const recorded = join(service.ground.folder, "recordings", filename)
  const metadata = ["-map", "0:d", "-c", "copy", "-f", "data", extracted]
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", "-i", recorded, ...metadata])
  const [bytes, packets] = [readFileSync(extracted), readFileSync(join(folder, "packets.klv"))]
  return {
    ...{ device, infrared, silence, told, last: yield* call.get_telemetry({ device }) },
    ...{ filename, bytes: bytes.length, ofPackets: packets.length / 400, isWhole: packets.includes(bytes) }
  }
})

const program = Effect.gen(function* () {
  const service = yield* startReady({
    cameras: 0,
    isBuilt: true,
    settings: {
      DISCOVERY_SKYDIO_RANGES: "192.168.42.10,192.168.42.0/29",
      DISCOVERY_GENERIC_RANGES: "127.0.0.0/30,169.254.169.254,100.100.100.200,192.168.42.1,192.168.1.1,239.7.7.7",
      DISCOVERY_GENERIC_STREAMS: "7777/live"
    }
  })
  const { call } = yield* clientOf(service, { role: "operator" })
  // their web servers are the last that they start
  const webServers = ["192.168.1.64:8080", "192.168.1.64:8081", "192.168.1.66", "127.0.0.1:7778"]
  for (const url of webServers.map((host) => `http://${host}/`)) {
    yield* eventually(
      `${url} is there`,
      Effect.map(statusOf(url), (status) => status > 0)
    )
  }
  for (const port of [5554, 6554]) yield* eventually(`the drone listens at ${port}`, listens("192.168.42.10", port))
  // on a busy machine the drone's first pictures take longer than a scan waits; one is let in every five seconds
  const discovered = yield* Effect.repeat(
    call.discover_external_streams({ generic_enabled: true, force_rescan: true }),
    {
      until: ({ skydio_streams }) => skydio_streams.length === 2,
      schedule: Schedule.spaced("5 seconds"),
      times: 3
    }
  )

  const added = yield* call.add_external_stream({ stream_url: onvif, stream_name: "Front door" })
  const { device } = added
  const camera = yield* call.get_camera_status({ device })
  const idle = yield* call.take_snapshot({ device })
  yield* call.start_streaming({ device })
  const live = yield* call.take_snapshot({ device, max_age_ms: 5000 })
  yield* call.stop_streaming({ device })
  const capabilities = yield* call.get_camera_capabilities({ device })

  const { presets } = yield* call.ptz_presets({ device })
  yield* call.ptz_move({ device, pan: -0.5, zoom: 1, timeout_ms: 1500 })
  yield* notes(2)
  yield* call.ptz_goto({ device, preset: "1" })
  yield* notes(3)
  const life = yield* Scope.make()
  const leaving = yield* Scope.provide(clientOf(service, { role: "operator" }), life)
  yield* leaving.call.ptz_move({ device, tilt: 1, timeout_ms: 10_000 })
  const leftAt = Date.now()
  yield* Scope.close(life, Exit.void)
  yield* notes(5)
  const moved = yield* noted

  const flown = yield* fly(service)

  const refusals: Array<readonly [string, unknown]> = []
  const attempt = (stream_url: string) =>
    Effect.match(call.add_external_stream({ stream_url, stream_name: "Canary" }), {
      onFailure: (error) =>
        void refusals.push([stream_url, "rule" in error ? "rule" : "reason" in error ? error.reason : error._tag]),
      onSuccess: (one) => void refusals.push([stream_url, one.device])
    })
  for (const host of forbidden) {
    yield* attempt(`rtsp://${host}:7777/live`)
    yield* attempt(`http://${host}:7777/onvif/device_service`)
  }
  // redirects; addresses that a device tells; a name that is another machine's when it is looked up again
  for (let times = 0; times < 6; times++) yield* attempt(`rtsp://192.168.1.66/live${times}`)
  for (let times = 0; times < 6; times++) yield* attempt(`http://192.168.1.66/onvif/${times}`)
  yield* attempt("rtsp://rebind.test:7777/live")
  // the last ONVIF camera of those that were added, and the one whose name was looked up just now
  for (const { device: one } of (yield* call.get_camera_list({})).cameras.slice(-2)) {
    yield* Effect.ignore(call.start_streaming({ device: one }))
    yield* Effect.ignore(call.ptz_move({ device: one, pan: 1 }))
  }
  const rebound = yield* call.get_camera_list({})

  yield* Console.log(
    JSON.stringify({
      ...{ discovered, added, camera, idle, live, capabilities, presets, moved, leftAt, flown, refusals },
      names: rebound.cameras.map(({ fault, name }) => [name, fault?.kind, fault?.detail]),
      before: yield* canaries("/"),
      after: yield* canaries("/control"),
      log: service.stderr()
    })
  )
})

await Effect.runPromise(Effect.scoped(program))
