import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { ExternalStreams } from "../../src/external/ExternalStreams.ts"
import { parseStreamUrl } from "../../src/external/StreamUrl.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { readyStream } from "../suites/streams.ts"
import { realPrograms } from "../support/App.ts"
import { eventually } from "../support/Eventually.ts"
import { collector } from "../support/OtlpCollector.ts"
import { freePorts } from "../support/FreePorts.ts"
import { connect } from "../support/PlainClient.ts"
import { makeVideo, peerLogin, startPeer } from "../support/RtspPeer.ts"
import { makeGround, ready, type Service, start } from "../support/Service.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

const { password, user } = peerLogin
const secretFile = "secrets/external_streams.json"

/** What ffprobe says of a stream, or of a file. */
const ffprobe = (...args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const show = ["-v", "error", "-of", "json", "-show_entries", "stream=codec_name,width:format=duration"]
    const { stdout } = await promisify(execFile)("ffprobe", [...show, ...args])
    return JSON.parse(stdout) as {
      readonly streams: ReadonlyArray<{ readonly codec_name: string; readonly width?: number }>
      readonly format: { readonly duration?: string }
    }
  })

const textOf = (url: string) => Effect.promise(async () => (await fetch(url)).text())

/** The files of the data folder in which this stands. */
const filesWith = (folder: string, word: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const path = join(folder, name)
    return statSync(path).isFile() && readFileSync(path, "latin1").includes(word)
  })

const argumentsOf = ({ ground }: Service) =>
  ground
    .processes()
    .flatMap(({ argv }) => argv)
    .join(" ")

it.live(
  "a camera of the network is added, watched, pictured, recorded and removed, in one session; nobody hears its password",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const peer = yield* startPeer(folder, makeVideo(folder))
      const traces = yield* collector
      const ground = yield* makeGround({
        cameras: 0,
        settings: {
          EXTERNAL_ALLOWED_HOSTS: "127.0.0.1",
          TELEMETRY_LOG_LEVEL: "trace",
          TELEMETRY_OTLP_ENDPOINT: traces.endpoint
        }
      })
      const heard: Array<string> = []
      const hear = (text: string) => void heard.push(text)
      const asOperator = Effect.fnUntraced(function* (service: Service) {
        yield* ready(service)
        return yield* connect(service.url, yield* service.token({ role: "operator" }))
      })
      const withLogin = peer.url.replace("//", `//${user}:${password}@`)
      const stream = { stream_url: peer.url }
      const device = { device: "camera0" }

      const first = yield* start(ground)
      const before = yield* asOperator(first)
      // what goes wrong is no reason to repeat a password
      const refused: ReadonlyArray<readonly [url: string, code: number]> = [
        [withLogin.replace(password, `${password}x`), -32050],
        [withLogin.replace("127.0.0.1", "127.0.0.2"), -32602],
        [withLogin.replace("/live", "/live#1"), -32602],
        [`rtsp://${user}:${password}@${"a".repeat(3000)}/`, -32602]
      ]
      for (const [stream_url, code] of refused) {
        assert.include(yield* before.error("add_external_stream", { stream_url, stream_name: "Gate" }), { code })
      }
      const added = yield* before.result("add_external_stream", { stream_url: withLogin, stream_name: "Gate" })
      assert.deepInclude(added, { ...stream, ...device, status: "ADDED" })
      assert.include(yield* before.error("add_external_stream", { stream_url: withLogin, stream_name: "Gate" }), {
        code: -32020
      })
      yield* first.kill("SIGTERM")
      assert.strictEqual((yield* first.ended).code, 0)
      hear(before.texts().join("\n") + first.stderr() + first.stdout())

      const service = yield* start(ground)
      const client = yield* asOperator(service)
      const listed = yield* client.result("get_external_streams")
      assert.include(JSON.stringify(listed), `"url":"${peer.url}","type":"generic_rtsp","name":"Gate"`)
      const { viewing_key } = yield* client.result<{ readonly viewing_key: string }>("create_viewing_key", device)
      const watched = `rtsp://viewer:${viewing_key}@127.0.0.1:${ground.ports.rtsp}/camera0`
      const seen = yield* ffprobe("-rtsp_transport", "tcp", watched)
      assert.deepInclude(seen.streams[0], { codec_name: "h264", width: 640 })
      assert.include(yield* client.result("take_snapshot", device), {
        status: "SUCCESS",
        width: 640,
        tier_name: "live"
      })
      const { filename } = yield* client.result<{ readonly filename: string }>("start_recording", device)
      yield* Effect.sleep("3 seconds")
      assert.strictEqual(yield* peer.readers, 1)
      hear(argumentsOf(service))
      const { duration } = yield* client.result<{ readonly duration: number }>("stop_recording", device)
      assert.isAbove(duration, 2.5)
      const recorded = yield* ffprobe(join(ground.folder, "recordings", filename))
      assert.closeTo(Number(recorded.format.duration), duration, 0.5)

      const admin = yield* connect(service.url, yield* service.token({ role: "admin" }))
      hear(JSON.stringify(yield* admin.result("get_camera_status", { ...device, debug: true })))
      for (const method of ["get_camera_list", "get_streams", "get_metrics", "get_status", "get_external_streams"]) {
        hear(JSON.stringify(yield* admin.result(method)))
      }
      hear(yield* textOf(`${service.health}/health/detailed`))
      hear(yield* textOf(`${service.health}/metrics`))
      assert.deepStrictEqual(filesWith(ground.folder, password), [secretFile])
      assert.strictEqual(statSync(join(ground.folder, secretFile)).mode & 0o777, 0o600)
      assert.strictEqual(statSync(join(ground.folder, "external_streams.json")).mode & 0o777, 0o600)

      assert.include(yield* client.result("remove_external_stream", { stream_url: withLogin }), {
        ...stream,
        status: "REMOVED"
      })
      assert.include(yield* client.result("get_camera_list"), { total: 0 })
      yield* eventually(
        "the camera's session is over",
        Effect.map(peer.readers, (readers) => readers === 0)
      )
      assert.deepStrictEqual(filesWith(ground.folder, password), [])
      yield* service.kill("SIGTERM")
      assert.strictEqual((yield* service.ended).code, 0)
      yield* eventually(
        "the traces have come",
        Effect.sync(() => traces.text().includes("ExternalStreams.remove"))
      )
      hear(client.texts().join("\n") + admin.texts().join("\n") + service.stderr() + service.stdout() + traces.text())
      const all = heard.join("\n")
      assert.include(all, "network camera added")
      for (const word of [password, encodeURIComponent(password), btoa(`${user}:${password}`)])
        assert.notInclude(all, word)
    }),
  120_000
)

it.live("a camera that is added with TLS and speaks without it, or the other way round, is told so", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const { port, securePort } = yield* startPeer(folder, makeVideo(folder))
    const ground = yield* makeGround({ cameras: 0, settings: { EXTERNAL_ALLOWED_HOSTS: "127.0.0.1" } })
    const service = yield* start(ground)
    yield* ready(service)
    const { error } = yield* connect(service.url, yield* service.token({ role: "operator" }))
    for (const [at, words] of [
      [`rtsps://${user}:${password}@127.0.0.1:${port}`, "speaks RTSP without TLS at this port"],
      [`rtsp://${user}:${password}@127.0.0.1:${securePort}`, "speaks TLS at this port"]
    ] as const) {
      const refused = yield* error("add_external_stream", { stream_url: `${at}/live`, stream_name: "Gate" })
      assert.include(JSON.stringify(refused), words)
    }
  })
)

it.live("cameras that speak TLS are spoken to", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround({ cameras: 0, settings: { EXTERNAL_ALLOWED_HOSTS: "127.0.0.1" } })
    const service = yield* start(ground)
    yield* ready(service)
    const { result } = yield* connect(service.url, yield* service.token({ role: "operator" }))
    const [port = 0] = yield* freePorts(1)
    const urls = [`rtsps://127.0.0.1:${port}/live`, `https://127.0.0.1:${port}/onvif/device_service`]
    for (const [number, stream_url] of urls.entries()) {
      // nobody listens there: that is all that is wrong
      const { device } = yield* result<{ readonly device: string }>("add_external_stream", {
        stream_url,
        stream_name: "T"
      })
      assert.strictEqual(device, `camera${number}`)
      const { fault } = yield* result<{ readonly fault: object }>("get_camera_status", { device })
      assert.include(fault, { kind: "UNREACHABLE" })
    }
  })
)

realPrograms.starts("MediaMTX is told neither a camera's address nor its password", (run, folder) =>
  Effect.gen(function* () {
    const peer = yield* startPeer(folder, makeVideo(folder))
    const told = Effect.gen(function* () {
      const streams = yield* ExternalStreams
      const api = yield* MediaMtxApi
      const url = yield* Effect.fromResult(parseStreamUrl(peer.url.replace("//", `//${user}:${password}@`)))
      const { device } = yield* streams.add({ url, type: "generic_rtsp", name: "Gate" })
      yield* readyStream(device)
      return JSON.stringify([yield* api.listPathConfigs, yield* api.listPaths, yield* api.pathDefaults])
    })
    const text = yield* run(folder, told, { external: { allowed_hosts: ["127.0.0.1"] } })
    assert.include(text, "camera0")
    for (const word of [password, user, String(peer.port)]) assert.notInclude(text, word)
  }).pipe(Effect.scoped)
)
