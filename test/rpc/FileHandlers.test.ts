import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import type { ApiKeyCreated } from "../../schema/Auth.ts"
import type { FileList, FileUrl } from "../../schema/Storage.ts"
import { Devices } from "../../src/device/Devices.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { Holds } from "../../src/storage/Holds.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { Visitors } from "../../testing/Visitors.ts"
import { indexed, jpeg } from "../storage/Workbench.ts"
import { asTimePasses } from "../suites/recordings.ts"
import { listening } from "../support/Log.ts"
import { dataFolder, onFakes, plugIn, onTestGround, runFake } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { asMediaMtx } from "../support/MediaMtxQuestion.ts"
import { connect, type Reply, resultOf, token } from "../support/RpcVisitor.ts"
import { tracing } from "../support/Spans.ts"

/** A recording and a snapshot of this camera, on the disk and in the index. */
const kept = Effect.fnUntraced(function* (device: string) {
  const { disk } = yield* TestGround
  const index = yield* FileIndex
  for (const [kind, filename] of [
    ["recording", `${device}.mp4`],
    ["snapshot", `${device}.jpg`]
  ] as const) {
    disk.outside.write(join(dataFolder, `${kind}s`, filename), new TextEncoder().encode(`the ${kind}`))
    yield* index.put(indexed({ kind, filename, device, bytes: 1 }))
  }
})

/** What such a URL gives to who has nothing else. */
const got = Effect.fnUntraced(function* (url: string, address = "192.0.2.1", headers: Record<string, string> = {}) {
  const { pathname, search } = new URL(url)
  const visitors = yield* Visitors
  const { body, status } = yield* visitors.ask(8002, { target: pathname + search, address, headers })
  return `${status} ${yield* Stream.mkString(Stream.decodeText(body))}`
})

const refused = (reason: string) => {
  const suggestion = "ask get_download_url or export_recording for another link"
  return `403 ${JSON.stringify({ error: { code: -32001, message: "Auth Failed", data: { reason, suggestion } } })}\n`
}
const [wrong, expired] = [refused("the signature is wrong"), refused("the signed URL has expired")]

const urlsOf = Effect.fnUntraced(function* (call: Effect.Success<ReturnType<typeof connect>>) {
  const one = (reply: Reply) => resultOf<{ readonly download_url: string }>(reply).download_url
  const list = (reply: Reply) => resultOf<FileList>(reply).files[0]?.download_url ?? ""
  return [
    list(yield* call("list_recordings")),
    one(yield* call("get_recording_info", { filename: "camera0.mp4" })),
    one(yield* call("get_download_url", { filename: "camera0.mp4" })),
    list(yield* call("list_snapshots")),
    one(yield* call("get_snapshot_info", { filename: "camera0.jpg" })),
    one(yield* call("get_download_url", { filename: "camera0.jpg" }))
  ] as const
})

describe("list_recordings", () => {
  onFakes(
    "says which file is still written",
    Effect.gen(function* () {
      yield* kept("camera0")
      yield* kept("camera1")
      const call = yield* connect(yield* token({ role: "viewer" }))
      const written = Effect.map(call("list_recordings"), (reply) =>
        resultOf<FileList>(reply).files.flatMap(({ filename, recording }) => (recording === true ? [filename] : []))
      )
      assert.deepEqual(yield* written, [])
      const holds = yield* Holds
      yield* holds.hold("recording", "camera1.mp4", "RECORDING")
      assert.deepEqual(yield* written, ["camera1.mp4"])
    })
  )
})

describe("a download_url", () => {
  onFakes(
    "gives its file as it stands, for ten minutes and no longer than eleven, in every list and info",
    Effect.gen(function* () {
      yield* kept("camera0")
      const call = yield* connect(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
      const urls = yield* urlsOf(call)
      // the same one again, so that a page need not fetch anew what it has
      assert.lengthOf(new Set(urls), 2)
      yield* TestClock.adjust("599 seconds")
      for (const [at, url] of urls.entries()) {
        assert.strictEqual(yield* got(url), at < 3 ? "200 the recording" : "200 the snapshot")
      }
      // to the end of a minute
      yield* TestClock.adjust("61 seconds")
      for (const url of urls) assert.strictEqual(yield* got(url), expired)
      const fresh = resultOf<FileUrl>(yield* call("get_download_url", { filename: "camera0.mp4" }))
      assert.strictEqual(fresh.filename, "camera0.mp4")
      assert.match(fresh.expires_at, /^1970-01-01T00:2[12]:00.000Z$/)
      assert.strictEqual(yield* got(fresh.download_url), "200 the recording")
    })
  )

  onFakes(
    "is of this file alone, and tells nobody which others there are",
    Effect.gen(function* () {
      yield* kept("camera0")
      yield* kept("camera1")
      const call = yield* connect(yield* token({ role: "viewer" }))
      const [, url] = yield* urlsOf(call)
      const signature = new URL(url).search
      for (const path of ["recordings/camera1.mp4", "snapshots/camera0.jpg", "recordings/none.mp4", "recordings/"]) {
        assert.strictEqual(yield* got(`http://x/files/${path}${signature}`), wrong, path)
      }
      const others = [
        url.slice(0, -1),
        `${url}A`,
        url.replace("signed=", "signed=1"),
        url.replace(/signed=.*/, "signed=")
      ]
      for (const other of others) assert.strictEqual(yield* got(other), wrong, other)
      // who shows a credential is asked for a right one
      assert.match(yield* got(url, "192.0.2.1", { authorization: "Bearer nonsense" }), /^401/)
      const deleted = yield* connect(yield* token({}))
      resultOf(yield* deleted("delete_recording", { filename: "camera0.mp4" }))
      assert.match(yield* got(url), /^404/)
    })
  )

  onFakes(
    "opens nothing once another camera's file has that name",
    Effect.gen(function* () {
      yield* kept("camera0")
      const call = yield* connect(yield* token({ role: "viewer", cameras: ["camera0"] }))
      const url = (yield* urlsOf(call))[5]
      assert.strictEqual(yield* got(url), "200 the snapshot")
      yield* (yield* FileIndex).put(indexed({ kind: "snapshot", filename: "camera0.jpg", device: "camera1" }))
      assert.match(yield* got(url), /^404/)
    })
  )

  onFakes(
    "ends with the credential that asked for it",
    Effect.gen(function* () {
      yield* kept("camera0")
      const admin = yield* connect(yield* token({ timeToLive: Duration.hours(1) }))
      const key = resultOf<typeof ApiKeyCreated.Type>(yield* admin("create_api_key", { role: "viewer" }))
      const [byKey] = yield* urlsOf(yield* connect(key.api_key))
      const minute = yield* connect(yield* token({ role: "viewer" }))
      const byToken = resultOf<FileUrl>(yield* minute("get_download_url", { filename: "camera0.mp4" }))
      assert.strictEqual(byToken.expires_at, "1970-01-01T00:01:00.000Z")
      assert.strictEqual(yield* got(byKey), "200 the recording")
      resultOf(yield* admin("revoke_api_key", { key_id: key.key_id }))
      assert.strictEqual(yield* got(byKey), refused("the key was revoked"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* got(byToken.download_url), expired)
    })
  )
})

const hostOfUrl = (settings: object, expected: string) =>
  [
    Effect.gen(function* () {
      yield* kept("camera0")
      const call = yield* connect(yield* token({ role: "viewer" }), { host: "cam.example:18002" })
      for (const url of yield* urlsOf(call)) assert.strictEqual(new URL(url).host, expected)
    }),
    settings
  ] as const

const originBehindProxy = (trusted: string, expected: string) =>
  [
    Effect.gen(function* () {
      yield* kept("camera0")
      const call = yield* connect(yield* token({ role: "viewer" }), {
        host: "inside:8002",
        "x-forwarded-for": "198.51.100.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "cam.example"
      })
      for (const url of yield* urlsOf(call)) assert.strictEqual(new URL(url).origin, expected)
    }),
    { server: { trusted_proxies: [trusted] } }
  ] as const

describe("a download_url names", () => {
  onFakes("the host and the port by which the client came", ...hostOfUrl({}, "cam.example:18002"))
  onFakes(
    "the host that the operator says, and that port",
    ...hostOfUrl({ server: { public_host: "2001:db8::7" } }, "[2001:db8::7]:18002")
  )
  onFakes(
    "where the service listens, to a client that does not say by what it came",
    Effect.gen(function* () {
      yield* kept("camera0")
      const call = yield* connect(yield* token({ role: "viewer" }), { host: "no host/" })
      for (const url of yield* urlsOf(call)) assert.strictEqual(new URL(url).host, "127.0.0.1:8002")
    })
  )
  onFakes(
    "what a proxy in front of the service says by which the client came, where the proxy is trusted",
    ...originBehindProxy("127.0.0.0/8", "https://cam.example")
  )
  onFakes(
    "what it says itself by which it came to a client that says the same of a proxy",
    ...originBehindProxy("192.0.2.0/24", "http://inside:8002")
  )
  onFakes(
    "no port to a client that came by the usual one, through a proxy",
    Effect.gen(function* () {
      yield* kept("camera0")
      const call = yield* connect(yield* token({ role: "viewer" }), { host: "proxy.lan" })
      for (const url of yield* urlsOf(call)) assert.strictEqual(new URL(url).host, "cam.example")
    }),
    { server: { public_host: "cam.example" } }
  )
})

it.effect("no signature stands in a log line or a trace, right, wrong or over", () => {
  const { layer, lines } = listening()
  const { layer: tracer, spans, texts } = tracing()
  return onTestGround(
    runFake(
      dataFolder,
      Effect.gen(function* () {
        yield* kept("camera0")
        const { id } = yield* until(
          "a camera",
          Effect.map(Devices, (devices) => devices.list()[0])
        )
        const call = yield* connect(yield* token({ role: "viewer" }))
        const [url] = yield* urlsOf(call)
        const streams = resultOf<{ readonly signed_urls: { readonly rtsp: string } }>(
          yield* call("get_stream_url", { device: id, signed: true })
        )
        const shown = new URL(streams.signed_urls.rtsp).searchParams.get("token") ?? ""
        const signatures = [url, shown].map((text) => text.slice(-22))
        const question = { user: "", password: "", token: shown, action: "read", path: id, query: "", id: null }
        const body = JSON.stringify({ ...question, ip: "192.0.2.1", protocol: "rtsp" })
        const visitors = yield* Visitors
        const asked = visitors.ask(8003, yield* asMediaMtx(body))
        assert.strictEqual((yield* asked).status, 200)
        assert.strictEqual(yield* got(url), "200 the recording")
        assert.strictEqual(yield* got(url.replace("camera0.mp4", "other.mp4")), wrong)
        yield* TestClock.adjust("61 seconds")
        assert.strictEqual((yield* asked).status, 401)
        assert.strictEqual(yield* got(url), expired)

        assert.isTrue(lines.some(({ message }) => message === "a signed URL was refused"))
        const downloads = spans.filter(({ name }) => name === "Downloads.serve")
        assert.lengthOf(downloads, 3)
        for (const signature of signatures) {
          assert.lengthOf(signature, 22)
          assert.notInclude(JSON.stringify(lines), signature)
          for (const text of texts()) assert.notInclude(text, signature)
        }
      }),
      { telemetry: { log_level: "trace" }, cameras: { synthetic: 1, v4l2: false } }
    )
  ).pipe(Effect.provide(Layer.merge(layer, tracer)), Effect.provideService(References.MinimumLogLevel, "Trace"))
})

describe("a snapshot's name that is taken", () => {
  onFakes(
    "is told to be, and given away by who may see the camera whose it is, and by nobody else",
    Effect.gen(function* () {
      yield* plugIn(0)
      yield* plugIn(1)
      yield* kept("camera0")
      const params = { device: "camera1", filename: "camera0.jpg" }
      const narrow = yield* connect(yield* token({ cameras: ["camera1"] }))
      const wide = yield* connect(yield* token({}))
      const told = { state: "TAKEN", allowed_states: ["FREE"], suggestion: "another name, or overwrite: true" }
      for (const [call, overwrite] of [
        [narrow, true],
        [narrow, false],
        [wide, false]
      ] as const) {
        const { error } = yield* call("take_snapshot", { ...params, overwrite })
        assert.strictEqual(error?.code, -32020)
        assert.deepInclude(error?.data, told)
        assert.notInclude(JSON.stringify(error), "camera0")
      }
      const { disk } = yield* TestGround
      const path = join(dataFolder, "snapshots", "camera0.jpg")
      assert.strictEqual(new TextDecoder().decode(disk.outside.read(path)), "the snapshot")
      const refused = yield* wide("take_snapshot", { ...params, overwrite: "yes" })
      assert.deepInclude(refused.error, { code: -32602 })
      resultOf(yield* asTimePasses(wide("take_snapshot", { ...params, overwrite: true })))
      assert.deepInclude(yield* (yield* FileIndex).get("snapshot", "camera0.jpg"), { device: "camera1" })
      resultOf(yield* asTimePasses(narrow("take_snapshot", { ...params, overwrite: true })))
    })
  )

  onFakes(
    "gives nobody another camera's picture that replaces one while it is opened",
    Effect.gen(function* () {
      yield* kept("camera0")
      const { disk } = yield* TestGround
      const files = yield* Files
      const call = yield* connect(yield* token({ cameras: ["camera0"] }))
      const { download_url } = resultOf<FileUrl>(yield* call("get_download_url", { filename: "camera0.jpg" }))
      const { met, takeBack } = yield* disk.suffer({ name: "hung", calls: ["open"] })
      const download = yield* Effect.forkChild(got(download_url))
      yield* met
      const picture = { device: "camera1", bytes: jpeg, width: 1, height: 1, capturedAt: 0 }
      yield* files.saveSnapshot({ ...picture, filename: "camera0.jpg" }, () => true)
      yield* takeBack
      assert.match(yield* Fiber.join(download), /^404 /)
    })
  )
})
