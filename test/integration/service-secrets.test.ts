import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { collector } from "../support/OtlpCollector.ts"
import { connect } from "../support/PlainClient.ts"
import { announce, readRtsp } from "../support/RtspReader.ts"
import { run, startReady, statusOf } from "../support/Service.ts"

/** Secrets of others, and wrong ones, in the places where people put them; nobody else has such words. */
const canaries = Array.from({ length: 16 }, (_, n) => `canary-${n.toString(16)}-${crypto.randomUUID()}`)
const [otlp = "", header = "", query = "", param = "", name = "", camera = "", upgrade = "", mediaMtx = "", ...more] =
  canaries

/** What FFmpeg's arguments name as the place to publish to. */
const targetIn = (argv: ReadonlyArray<string>) =>
  URL.parse(argv.find((word) => word.startsWith("rtsp://")) ?? "") ?? new URL("rtsp://nowhere")

it.live(
  "no token, secret or password that still works stands in the process list, the log, a reply, a trace or a bundle",
  () =>
    Effect.gen(function* () {
      const traces = yield* collector
      const service = yield* startReady({
        settings: {
          TELEMETRY_LOG_LEVEL: "debug",
          TELEMETRY_OTLP_ENDPOINT: traces.endpoint,
          // a provider that is not there, and a key to it
          AUTH_JWKS_URL: `https://u:${more[0]}@127.0.0.1:9/keys?key=${more[1]}`,
          // others' variables, some of which look like ours
          SECRET: more[2] ?? ""
        },
        environment: { OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${otlp}` }
      })
      const { ground } = service
      const token = yield* service.token({ role: "admin" })
      const client = yield* connect(service.url, token)
      const { api_key } = yield* client.result<{ readonly api_key: string }>("create_api_key", { role: "viewer" })
      const { viewing_key } = yield* client.result<{ readonly viewing_key: string }>("create_viewing_key", {
        device: "camera0"
      })
      // whatever has to do with tokens, passwords and children
      yield* client.result("start_streaming", { device: "camera0" })
      yield* client.result("take_snapshot", { device: "camera1" })
      yield* client.result("start_recording", { device: "camera0" })
      for (const device of ["camera0", "camera1"]) {
        yield* client.result("get_camera_status", { device, debug: true })
        yield* client.result("get_stream_status", { device })
      }
      yield* client.result("get_streams")
      yield* client.error("authenticate", { auth_token: `${token}x` })
      yield* client.error("authenticate", { auth_token: viewing_key })
      yield* client.result("authenticate", { auth_token: api_key })
      yield* (yield* readRtsp({ port: ground.ports.rtsp, path: "camera0", token })).firstPacket
      yield* (yield* readRtsp({ port: ground.ports.rtsp, path: "camera0", token: viewing_key })).firstPacket
      yield* (yield* readRtsp({ port: ground.ports.rtsp, path: "camera1", token: api_key })).firstPacket
      yield* (yield* readRtsp({ port: ground.ports.rtsp, path: "camera1", query: `?token=${token}` })).firstPacket

      yield* client.result("authenticate", { auth_token: token })
      yield* client.result("stop_recording", { device: "camera0" })
      const { files } = yield* client.result<{ readonly files: ReadonlyArray<{ readonly download_url: string }> }>(
        "list_recordings"
      )
      const download = files[0]?.download_url ?? ""
      const { signed_urls } = yield* client.result<{ readonly signed_urls: { readonly rtsp: string } }>(
        "get_stream_url",
        {
          device: "camera0",
          signed: true
        }
      )
      const signatures = [download, signed_urls.rtsp].map((url) => url.slice(-22))
      assert.strictEqual(yield* statusOf(download), 200)
      assert.strictEqual(yield* statusOf(download.replace("/camera0", "/camera1")), 403)
      yield* (yield* readRtsp({ port: ground.ports.rtsp, path: "camera0", query: new URL(signed_urls.rtsp).search }))
        .firstPacket

      const publishers = ground.running("ffmpeg").map(({ argv }) => {
        const { pathname, searchParams } = targetIn(argv)
        return { path: pathname.slice(1), password: searchParams.get("token") ?? "" }
      })
      assert.lengthOf(publishers, 2)
      const commands = ground.processes().flatMap(({ argv }) => argv)
      // a second FFmpeg is what somebody would try with the password of the first
      for (const { password, path } of publishers) {
        assert.isNotEmpty(password)
        const target = { port: ground.ports.rtsp, path, user: "camera-service", password }
        assert.strictEqual(yield* announce(target), 401)
      }
      const stale = yield* Effect.flip(
        readRtsp({ port: ground.ports.rtsp, path: "camera0", token: publishers[0]?.password ?? "" })
      )
      assert.strictEqual(stale.status, 401)

      // what is wrong, wherever it can be shown
      const none = `${service.files}/files/recordings/none.mp4`
      assert.strictEqual(yield* statusOf(none, { headers: { authorization: `Bearer ${header}` } }), 401)
      assert.strictEqual(yield* statusOf(none, { headers: { "x-api-key": `csk_0123456789ab_${more[3]}` } }), 401)
      assert.strictEqual(yield* statusOf(`${none}?signed=${query}`), 403)
      assert.strictEqual(yield* statusOf(`${service.health}/health?token=${more[4]}`), 200)
      yield* client.error("authenticate", { auth_token: param })
      yield* client.error("take_snapshot", { device: "camera0", filename: `rtsp://u:${name}@192.0.2.1/a.jpg` })
      yield* client.error("get_camera_status", { device: `rtsp://u:${camera}@192.0.2.1/` })
      yield* connect(`${service.url}?token=${upgrade}`)
      const guess = { port: ground.ports.rtsp, path: "camera0", query: `?token=${mediaMtx}` }
      assert.strictEqual((yield* Effect.flip(readRtsp(guess))).status, 401)
      assert.strictEqual(
        yield* statusOf(`http://127.0.0.1:${ground.ports.hls}/camera0/index.m3u8?token=${more[5]}`),
        401
      )
      const metrics = yield* Effect.promise(() => fetch(`${service.health}/metrics`).then((reply) => reply.text()))

      const file = join(ground.folder, "bundle.tar.gz")
      const doctor = yield* run(ground, { args: ["doctor", "--bundle", file] })
      yield* doctor.ended
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      const bundle = execFileSync("tar", ["-xzOf", file], { encoding: "utf8" })
      assert.include(bundle, "jwt_secret")
      assert.include(bundle, '"HEALTHY"')

      yield* service.kill("SIGTERM")
      assert.strictEqual((yield* service.ended).code, 0)
      yield* eventually(
        "the traces have come",
        Effect.sync(() => traces.spans().length > 0)
      )

      const secret = readFileSync(join(ground.folder, "secrets/jwt_secret"), "utf8").trim()
      const signature = token.split(".")[2] ?? ""
      const passwords = publishers.map(({ password }) => password)
      // a reply tells a key once, when it is made
      const keys = [api_key, viewing_key].map((key) => key.slice(-20))
      const shown: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
        ["the process list", commands.join(" "), [...keys, ...signatures]],
        ["the log", service.stderr() + service.stdout(), [...passwords, ...keys, ...signatures]],
        ["a reply", client.texts().join("\n"), passwords],
        ["a trace or a metric that is sent", traces.text(), [...passwords, ...keys, ...signatures]],
        ["a metric", metrics, [...passwords, ...keys, ...signatures]],
        ["the doctor", doctor.stderr() + doctor.stdout(), [...passwords, ...keys, ...signatures]],
        ["a bundle for a bug report", bundle, [...passwords, ...keys, ...signatures]]
      ]
      for (const [where, text, own] of shown) {
        assert.isNotEmpty(text, where)
        for (const word of [secret, signature, ...canaries, ...own])
          assert.isFalse(text.includes(word), `${where} shows a secret`)
        assert.notMatch(text, /eyJ[\w-]+\.eyJ/, where)
      }
    })
)

it.live("the secrets of the data folder are for the service's own user only", () =>
  Effect.gen(function* () {
    const { ground } = yield* startReady()
    const modeOf = (path: string) => (statSync(join(ground.folder, path)).mode & 0o777).toString(8)
    assert.strictEqual(modeOf("secrets"), "700")
    assert.strictEqual(modeOf("secrets/jwt_secret"), "600")
  })
)
