import { afterEach, assert, beforeEach, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { configurationOf } from "../../src/config/Load.ts"
import { Settings } from "../../src/config/Settings.ts"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import * as Logs from "../../src/telemetry/Logs.ts"
import { Ports } from "../../testing/MemoryLoopback.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { type Question, Visitors } from "../../testing/Visitors.ts"
import { connect, tokenFor } from "../rpc/Harness.ts"
import { dataFolder, onTestGround, plugIn, runFake } from "../support/App.ts"
import { children } from "../support/Ground.ts"
import { attachCamera, target, url } from "../support/NetworkCamera.ts"
import { asMediaMtx } from "../support/MediaMtxQuestion.ts"
import { tracing } from "../support/Spans.ts"
import { testSettings } from "../support/TestSettings.ts"
import { atOnce, inTime } from "./InTime.ts"
import { type Watch, watchFor } from "./Watch.ts"
import { Trials } from "../../src/rtsp/Trials.ts"

/**
 * Canaries: secrets, right and wrong, in every place that takes one. None of them is seen again, in a log of every level, a
 * reply, a trace, a metric or the process list. A seed makes the same ones again: `FUZZ_SEED=1`; `FUZZ_INPUTS` sets how many.
 */
const rounds = Math.max(1, Math.round(Number(process.env["FUZZ_INPUTS"] ?? 3000) / 1000))
const firstSeed = Number(process.env["FUZZ_SEED"] ?? 20_260_517)

let logged: Array<string> = []
beforeEach(() => {
  logged = []
  vi.spyOn(process.stderr, "write").mockImplementation((text) => (logged.push(String(text)), true))
})
afterEach(() => void vi.restoreAllMocks())

const answer = Effect.fnUntraced(function* (watch: Watch, port: number, question: Question) {
  const { body, headers, status } = yield* (yield* Visitors).ask(port, question)
  const text = yield* Stream.mkString(Stream.decodeText(body))
  watch.replies.push(`${status} ${JSON.stringify(headers)} ${text}`)
  return text
}, Effect.scoped)

const publicPort = 8002
const localPort = 8003

interface Client {
  readonly ask: (method: string, params?: unknown) => Effect.Effect<void>
  /** its reply shows a secret on purpose, and is not kept */
  readonly told: <A>(method: string, params: unknown) => Effect.Effect<A>
  readonly raw: (text: string) => Effect.Effect<void>
}

const client = Effect.fnUntraced(function* (watch: Watch, question: Partial<Question> = {}) {
  const one = yield* connect(question)
  const send = Effect.fnUntraced(function* (text: string) {
    one.send(text)
    return yield* inTime(Effect.repeat(one.text, { until: (came) => !came.includes('"method":"') }))
  })
  const call = (method: string, params: unknown) => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
  return {
    ask: (method: string, params: unknown = {}) =>
      Effect.map(send(call(method, params)), (text) => void watch.replies.push(text)),
    told: <A>(method: string, params: unknown) =>
      Effect.map(send(call(method, params)), (text) => (JSON.parse(text) as { readonly result: A }).result),
    raw: (text: string) => Effect.map(send(text), (reply) => void watch.replies.push(reply))
  } satisfies Client as Client
})

/** What MediaMTX asks when somebody shows this. */
const question = (shown: object) =>
  JSON.stringify({
    ...{ user: "", password: "", token: "", action: "read", path: "camera0", query: "" },
    ...{ ip: "192.0.2.1", protocol: "rtsp", id: null },
    ...shown
  })

const base64 = (text: string): string => Buffer.from(text).toString("base64url")
/** A token as anybody can write it: of our form, and not signed by us. */
const forged = (alg: string, signature: string): string =>
  `${base64(JSON.stringify({ alg, kid: "k", typ: "JWT" }))}.${base64('{"user_id":"ann"}')}.${signature}`

/** Credentials that are none, wherever one may be shown. */
const showWrong = Effect.fnUntraced(function* (watch: Watch) {
  const { make } = watch
  const forms: ReadonlyArray<readonly [string, (secret: string) => string]> = [
    ["a word", (secret) => secret],
    ["a key", (secret) => `csk_0123456789ab_${secret.padEnd(43, "x").slice(0, 43)}`],
    ["a token of ours", (secret) => forged("HS256", secret)],
    ["a token of the provider's", (secret) => forged("ES256", secret)],
    ["a signature", (secret) => `zzzzzz.zzzzzz.camera0..${secret.padEnd(22, "x").slice(0, 22)}`]
  ]
  for (const [form, write] of forms) {
    const wrong = (where: string) => write(make(`${form} ${where}`))
    const asked = (question: Question) => inTime(answer(watch, publicPort, question))
    const file = "/files/recordings/none.mp4"
    yield* asked({ target: file, headers: { authorization: `Bearer ${wrong("as a Bearer token")}` } })
    yield* asked({ target: file, headers: { "x-api-key": wrong("as X-API-Key") } })
    yield* asked({ target: `${file}?signed=${wrong("in a signed URL")}` })
    yield* asked({ target: `${file}?token=${wrong("in a query")}`, headers: { cookie: `t=${wrong("in a cookie")}` } })
    yield* asked({ target: `/${wrong("in a path")}`, headers: { authorization: `Basic ${wrong("as a password")}` } })
    for (const target of ["/health", "/health/detailed", "/metrics", "/none"]) {
      yield* atOnce(answer(watch, localPort, { target: `${target}?token=${wrong(`at ${target}`)}` }))
    }
    for (const place of ["password", "token", "query"]) {
      const shown = wrong(`to MediaMTX as ${place}`)
      const body = question({ [place]: place === "query" ? `token=${shown}` : shown, protocol: "hls" })
      yield* atOnce(answer(watch, localPort, yield* asMediaMtx(body)))
    }
    const body = `{"password":"${wrong("in half a question")}"`
    yield* atOnce(answer(watch, localPort, yield* asMediaMtx(body)))
    const asker = { headers: { authorization: `Basic ${base64(`mediamtx:${wrong("as MediaMTX's own")}`)}` } }
    yield* atOnce(answer(watch, localPort, { ...(yield* asMediaMtx(question({}))), ...asker }))

    const stranger = yield* client(watch)
    yield* stranger.ask("authenticate", { auth_token: wrong("to authenticate") })
    const bearer = { headers: { authorization: `Bearer ${wrong("at the upgrade")}` } }
    yield* (yield* client(watch, bearer)).ask("get_camera_list")
    yield* stranger.raw(
      `{"jsonrpc":"2.0","id":1,"method":"authenticate","params":{"auth_token":"${wrong("in half JSON")}"`
    )
    yield* stranger.raw(`authenticate ${wrong("in no JSON")}`)
    yield* stranger.raw(wrong("alone"))
    yield* stranger.raw(`{"auth_token":${wrong("without quotes")}}`)
    yield* stranger.ask(`authenticate(${wrong("in a method's name")})`)
  }
}, Effect.scoped)

/** Passwords in URLs that people paste wherever a name is asked for. */
const pasteUrls = Effect.fnUntraced(function* (watch: Watch, admin: Client) {
  const url = (where: string) => `rtsp://admin:${watch.make(`a camera's password ${where}`)}@192.0.2.7/stream1`
  for (const method of [
    "get_camera_status",
    "start_streaming",
    "start_recording",
    "stop_recording",
    "get_stream_url"
  ]) {
    yield* admin.ask(method, { device: url(`as device of ${method}`) })
  }
  yield* admin.ask("take_snapshot", { device: "camera0", filename: url("as a file's name") })
  yield* admin.ask("take_snapshot", { device: "camera0", format: url("as a format") })
  for (const method of ["get_recording_info", "delete_snapshot", "get_download_url"]) {
    yield* admin.ask(method, { filename: url(`as filename of ${method}`) })
  }
  yield* admin.ask("list_recordings", { device: url("in a list") })
  yield* admin.ask("subscribe_events", { topics: [url("as a topic")] })
  yield* admin.ask("subscribe_events", { topics: ["camera.*"], filters: { device: url("in a filter") } })
  yield* admin.ask("add_external_stream", { stream_url: url("of a network camera"), stream_name: "the gate" })
  yield* admin.ask("remove_external_stream", { stream_url: url("that is removed") })
  yield* admin.ask("revoke_api_key", { key_id: watch.make("a key where its id belongs") })
})

/** Secrets that work, used for all that they open. */
const useRight = Effect.fnUntraced(function* (watch: Watch) {
  const { learn } = watch
  const token = yield* tokenFor("admin")
  learn("an admin's token", token.split(".")[2] ?? "")
  const admin = yield* client(watch)
  yield* admin.ask("authenticate", { auth_token: token })
  const key = yield* admin.told<{ readonly api_key: string; readonly key_id: string }>("create_api_key", {
    role: "operator"
  })
  learn("an API key", key.api_key.slice(-43))
  const viewing = yield* admin.told<{ readonly viewing_key: string }>("create_viewing_key", { device: "camera0" })
  learn("a viewing key", viewing.viewing_key.slice(-43))
  yield* admin.ask("list_api_keys")
  yield* admin.ask("take_snapshot", { device: "camera0", filename: "a.jpg" })
  const { download_url } = yield* admin.told<{ readonly download_url: string }>("get_download_url", {
    filename: "a.jpg"
  })
  const { signed_urls } = yield* admin.told<{ readonly signed_urls: { readonly hls: string } }>("get_stream_url", {
    device: "camera0",
    signed: true
  })
  learn("a signed URL", download_url.slice(-22))
  learn("a stream's signed URL", signed_urls.hls.slice(-22))
  const { pathname, search } = new URL(download_url)
  yield* inTime(answer(watch, publicPort, { target: pathname + search }))
  for (const [name, value] of [
    ["x-api-key", key.api_key],
    ["authorization", `Bearer ${token}`]
  ] as const) {
    yield* inTime(answer(watch, publicPort, { target: "/files/snapshots/a.jpg", headers: { [name]: value } }))
  }
  for (const shown of [token, key.api_key, viewing.viewing_key, new URL(signed_urls.hls).searchParams.get("token")]) {
    for (const action of ["read", "playback", "publish"]) {
      const body = question({ action, token: shown })
      yield* atOnce(answer(watch, localPort, yield* asMediaMtx(body)))
    }
  }
  const program = yield* client(watch, { headers: { "x-api-key": key.api_key } })
  for (const method of ["get_camera_list", "get_streams", "list_snapshots", "get_metrics"]) yield* program.ask(method)
  yield* admin.ask("get_camera_status", { device: "camera0", debug: true })
  yield* admin.ask("start_streaming", { device: "camera0" })
  yield* admin.ask("get_stream_status", { device: "camera0" })
  yield* pasteUrls(watch, admin)
  yield* admin.ask("revoke_api_key", { key_id: key.key_id })
  yield* program.ask("get_camera_list")
  return admin
})

/** FFmpeg complains with the URL that it was given, as the real one does. */
const complain = Effect.fnUntraced(function* (watch: Watch, admin: Client) {
  const { ffmpeg } = yield* TestGround
  const camera = yield* plugIn(1)
  const [password, token] = [watch.make("a password in FFmpeg's words"), watch.make("a token in them")]
  const complaint = `rtsp://u:${password}@h/${camera}?token=${token}: Invalid data found`
  yield* ffmpeg.disturb(camera, { failStarts: 9, complaint, direct: { error: complaint } })
  yield* admin.ask("take_snapshot", { device: camera })
})

/** Cameras of the network, which want a password: one has the right one, one a wrong one. */
const network = Effect.fnUntraced(function* (watch: Watch, admin: Client) {
  const { rtspCameras } = yield* TestGround
  const settled = yield* rtspCameras.start(target.address)
  const password = watch.make("a network camera's password")
  yield* settled.disturb({ login: { user: "operator", password, way: "MD5" } })
  for (const [port, shown] of [
    [target.port, password],
    [target.port, watch.make("a wrong password for a network camera")]
  ] as const) {
    const credentials = {
      user: "operator",
      password: Redacted.make(shown),
      mayBeSentInClear: false,
      trials: new Trials(() => 0)
    }
    const { id } = yield* attachCamera({ ...target, port, url: `${url}?${shown.length}`, credentials })
    yield* admin.ask("take_snapshot", { device: id })
    yield* admin.ask("get_camera_status", { device: id, debug: true })
    yield* admin.ask("get_stream_status", { device: id })
  }
  const secret = watch.make("the password of a camera that is added")
  const added = `rtsp://operator:${secret}@192.168.42.11:554/subject`
  const camera = yield* rtspCameras.start("192.168.42.11")
  yield* camera.disturb({ login: { user: "operator", password: secret, way: "MD5" } })
  const short = watch.make("a camera's password in the name of a stream").slice(0, 20)
  watch.learn("the same, cut", short)
  yield* admin.ask("add_external_stream", { stream_url: added, stream_name: `rtsp://u:${short}@h/` })
  yield* admin.ask("add_external_stream", { stream_url: added.replace("subject", "other"), stream_name: "the yard" })
  const { external_streams } = yield* admin.told<{ readonly external_streams: ReadonlyArray<unknown> }>(
    "get_external_streams",
    {}
  )
  assert.isNotEmpty(external_streams)
  for (const method of ["get_external_streams", "get_camera_list", "get_streams"]) yield* admin.ask(method)
  for (const device of ["camera2", "camera3", "camera4", "camera5"]) yield* admin.ask("take_snapshot", { device })
  yield* admin.ask("remove_external_stream", { stream_url: added })
})

const body = Effect.fnUntraced(function* (watch: Watch) {
  yield* plugIn(0)
  const key = yield* MediaMtxKey
  yield* showWrong(watch)
  const admin = yield* useRight(watch)
  yield* complain(watch, admin)
  yield* network(watch, admin)
  watch.learn("the key to MediaMTX's API", atob(key.authorization().slice("Basic ".length)).split(":")[1] ?? "")
  watch.learn("the same in its header", key.authorization().slice("Basic ".length))
  watch.learn("what MediaMTX shows when it asks", key.asker().slice("mediamtx:".length))
  const commands = (yield* children("publish")).flatMap(({ args }) => args)
  const processes = SubscriptionRef.getUnsafe((yield* TestGround).programs.processes)
  // the ticket itself stands there, and is of no use to who reads it: `service-secrets.test.ts`
  const tickets = commands.flatMap((word) => URL.parse(word)?.searchParams.get("token") ?? [])
  assert.isNotEmpty(tickets)
  for (const address of ["/metrics", "/health/detailed"]) {
    yield* atOnce(answer(watch, localPort, { target: address }))
  }
  return { processes: processes.map(({ args }) => args.join(" ")), tickets }
}, Effect.scoped)

/** The provider's key set, which has no business to tell the private part of a key, and does. */
const provider = Effect.fnUntraced(function* ({ make }: Watch) {
  const ports = yield* Ports
  const keys = [
    { kty: "oct", kid: "k", k: base64(make("a secret in a key set")) },
    { kty: "EC", crv: "P-256", kid: "e", x: "AA", y: "AA", d: make("a private key in a key set") }
  ]
  let asked = 0
  const replies = [
    { status: 500, body: { error: make("a secret in a provider's error") } },
    { status: 200, body: { keys } }
  ]
  yield* ports.listen(9000, {
    pid: 0,
    http: () => Effect.sync(() => replies[asked++ % 2] ?? { status: 404, body: {} })
  })
})

/** What is wrong with a configuration that has secrets in it, as `config check`, the start and the log say it. */
const badConfigurations = Effect.fnUntraced(function* ({ make }: Watch) {
  const texts = [
    `auth: { jwt_secret: ${make("a secret that is too short").slice(0, 20)} }`,
    `mediamtx: { auth_secret: ${make("MediaMTX's secret that is too short").slice(0, 20)} }`,
    `auth: { jwt_secret: [${make("a secret in a list")}] }`,
    `auth: { secret: ${make("a secret under another name")} }`,
    `jwt_secret: ${make("a secret in no section")}`,
    `auth: { jwks_url: "ftp://u:${make("a user's password in jwks_url")}@id/keys?key=${make("a key in jwks_url")}" }`,
    `telemetry: { otlp_endpoint: "http://u:${make("a password in otlp_endpoint")}@c:4318/" }`,
    `telemetry: { otlp_endpoint: "http://c:4318/?api-key=${make("a key in otlp_endpoint")}" }`,
    `auth: { jwt_secret: "${make("a secret without its quote")}`
  ]
  const environment = {
    CAMERA_SERVICE_AUTH_JWT_SECRET: make("a secret in the environment").slice(0, 20),
    CAMERA_SERVICE_JWT_SECRET: make("a secret of no key's variable"),
    CAMERA_SERVICE_TELEMETRY_OTLP_ENDPOINT: `http://c/?key=${make("a key in the environment")}`
  }
  const problems = yield* Effect.forEach(texts, (text) =>
    Effect.flip(configurationOf(text, { file: "/etc/c.yml", environment }))
  )
  const good = `auth: { jwt_secret: "${make("a secret").repeat(3)}", jwks_url: "https://u:${make("a password")}@id/k?a=${make("a key")}" }`
  const { report, warnings } = yield* configurationOf(good, { file: "/etc/c.yml", environment: {} })
  return [
    ...problems.map((problem) => `${problem.message} ${JSON.stringify(problem)}`),
    JSON.stringify({ report, warnings })
  ]
})

for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
  it.effect(`no secret is seen again, whoever shows it and wherever (seed ${seed})`, () => {
    const watch = watchFor(seed)
    const traces = tracing()
    const jwt_secret = watch.make("the secret of the configuration").padEnd(32, "-")
    const jwks_url = `http://127.0.0.1:9000/keys?key=${watch.make("a key in jwks_url's query")}`
    const telemetry = { log_format: "json", log_level: "trace" }
    const auth_secret = watch.make("the secret of an operator's MediaMTX").padEnd(32, "-")
    const settings = { auth: { jwt_secret, jwks_url }, mediamtx: { auth_secret }, telemetry }
    const logs = Logs.layer.pipe(Layer.provide(Layer.sync(Settings, () => testSettings({ telemetry }))))
    return Effect.gen(function* () {
      yield* provider(watch)
      const { processes, tickets } = yield* runFake(dataFolder, body(watch), settings)
      const spoken = yield* badConfigurations(watch)
      const places = { log: logged, replies: watch.replies, traces: traces.texts(), processes, configuration: spoken }
      // it is the secrets that are missing, not what they stood in
      for (const texts of [logged, watch.replies]) assert.isTrue(texts.some((text) => text.includes("rtsp://***@h")))
      for (const [place, texts] of Object.entries(places)) {
        assert.isNotEmpty(texts, place)
        for (const text of texts) {
          for (const [what, secret] of watch.secrets) {
            assert.isAtLeast(secret.length, 16, what)
            // a part of it is too much
            if (text.includes(secret.slice(0, 8)) || text.includes(secret.slice(-8)))
              assert.fail(`${what} (${secret}) is seen in ${place}: ${text.slice(0, 2000)}`)
          }
          if (place !== "processes") for (const ticket of tickets) assert.notInclude(text, ticket)
        }
      }
    }).pipe(Effect.scoped, onTestGround, Effect.provide([logs, traces.layer]))
  })
}
