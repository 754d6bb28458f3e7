import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import type { ApiKeyCreated, ViewingKeyCreated } from "../../schema/Auth.ts"
import { Credentials, untilOver } from "../../src/auth/Credentials.ts"
import { Settings } from "../../src/config/Settings.ts"
import { LocalHttp } from "../../src/http/LocalHttp.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { Visitors } from "../../testing/Visitors.ts"
import { indexed } from "../storage/Workbench.ts"
import { dataFolder, onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { attachCamera } from "../support/NetworkCamera.ts"
import { asMediaMtx } from "../support/MediaMtxQuestion.ts"
import { connect, type Reply, resultOf, token } from "../support/RpcVisitor.ts"
import { visit } from "../support/StreamVisitor.ts"

interface Shown {
  readonly action?: string
  readonly path?: string
  readonly password?: string
  readonly token?: string
  readonly query?: string
}

/** What the service answers when MediaMTX asks whether this may be: the status. */
const asked = Effect.fnUntraced(function* (shown: Shown) {
  const { address } = yield* LocalHttp
  const question = {
    ...{ user: "", password: "", token: "", action: "read", path: "camera0", query: "" },
    ...{ ip: "192.0.2.1", protocol: "rtsp", id: null, userAgent: "" },
    ...shown
  }
  const body = JSON.stringify(question)
  const { status } = yield* (yield* Visitors).ask(address.port, yield* asMediaMtx(body))
  return status
})

/** The status of a download with this key. */
const downloaded = Effect.fnUntraced(function* (port: number, key: string) {
  const question = { target: "/files/recordings/none.mp4", headers: { "x-api-key": key } }
  const { body, status } = yield* (yield* Visitors).ask(port, question)
  yield* Stream.runDrain(body)
  return status
})

type Viewing = typeof ViewingKeyCreated.Type
type Key = typeof ApiKeyCreated.Type

const cameras = { cameras: { synthetic: 2, v4l2: false } }
const twoCameras = (call: (method: string) => Effect.Effect<Reply>) =>
  until(
    "two cameras",
    Effect.map(call("get_camera_list"), ({ result }) => (result as { total: number }).total === 2)
  )

describe("a viewing key", () => {
  onFakes(
    "opens the stream of its camera, as the password, as a token and in the query, and nothing else",
    Effect.gen(function* () {
      const call = yield* connect(yield* token({ role: "viewer" }))
      yield* twoCameras(call)
      const made = resultOf<Viewing>(yield* call("create_viewing_key", { device: "camera0" }))
      const { key_id, streams, viewing_key } = made
      // the tool that is cut off at 128 characters has room for a user
      assert.isAtMost(viewing_key.length, 100)
      assert.strictEqual(streams.rtsp, `rtsp://127.0.0.1:8554/camera0?token=${viewing_key}`)
      for (const shown of [{ password: viewing_key }, { token: viewing_key }, { query: `token=${viewing_key}` }]) {
        assert.strictEqual(yield* asked(shown), 200)
        assert.strictEqual(yield* asked({ ...shown, path: "camera1" }), 401)
        for (const action of ["publish", "playback", "api", "metrics"]) {
          assert.strictEqual(yield* asked({ ...shown, action }), 401, action)
        }
      }
      const stranger = yield* connect()
      const { error } = yield* stranger("authenticate", { auth_token: viewing_key })
      assert.strictEqual(error?.code, -32001)
      assert.include(error?.data, { reason: "a viewing key opens streams only" })
      assert.strictEqual(yield* downloaded(8002, viewing_key), 401)
      const admin = yield* connect(yield* token({}))
      resultOf(yield* admin("revoke_api_key", { key_id }))
      assert.strictEqual(yield* asked({ password: viewing_key }), 401)
    }),
    cameras
  )

  onFakes(
    "never outlives the token or the key that it was made with",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({}))
      yield* twoCameras(admin)
      const params = { device: "camera0", expires_in_seconds: 2_592_000 }
      const short = resultOf<Viewing>(yield* admin("create_viewing_key", params))
      const key = resultOf<Key>(yield* admin("create_api_key", { role: "viewer", expires_in_days: 1 }))
      const byKey = resultOf<Viewing>(yield* (yield* connect(key.api_key))("create_viewing_key", params))
      assert.strictEqual(byKey.expires_at, key.expires_at)
      assert.strictEqual(yield* asked({ password: byKey.viewing_key }), 200)
      resultOf(yield* admin("revoke_api_key", { key_id: key.key_id }))
      assert.strictEqual(yield* asked({ password: byKey.viewing_key }), 401)
      assert.strictEqual(yield* asked({ password: short.viewing_key }), 200)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* asked({ password: short.viewing_key }), 401)
    }),
    cameras
  )

  onFakes(
    "ends with the token that it was made with where tokens have to be others, as do signed URLs, and what they opened",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      disk.outside.write(`${dataFolder}/snapshots/picture.jpg`, new Uint8Array(10))
      yield* (yield* FileIndex).put(indexed({ kind: "snapshot", filename: "picture.jpg", bytes: 10 }))
      const call = yield* connect(yield* token({ role: "viewer" }))
      yield* twoCameras(call)
      const { viewing_key } = resultOf<Viewing>(yield* call("create_viewing_key", { device: "camera0" }))
      const { signed_urls } = resultOf<{ readonly signed_urls: { readonly hls: string } }>(
        yield* call("get_stream_url", { device: "camera0", signed: true })
      )
      const signature = new URL(signed_urls.hls).searchParams.get("token") ?? ""
      const { download_url } = resultOf<{ readonly download_url: string }>(
        yield* call("get_download_url", { filename: "picture.jpg" })
      )
      const { pathname, search } = new URL(download_url)
      const statuses = Effect.all([
        asked({ password: viewing_key }),
        asked({ query: `token=${signature}` }),
        Effect.map(visit({ target: pathname + search }), ({ status }) => status),
        Effect.map(visit({ target: `/hls/camera1/index.m3u8?token=${viewing_key}` }), ({ status }) => status)
      ])
      assert.deepStrictEqual(yield* statuses, [200, 200, 200, 404])
      const { verifyViewer } = yield* Credentials
      const opened = yield* Effect.forEach([viewing_key, signature], verifyViewer)
      const ending = yield* Effect.forkChild(Effect.forEach(opened, untilOver, { concurrency: 2 }))
      const { live } = yield* Settings
      yield* SubscriptionRef.update(live, (now) => ({ ...now, auth: { ...now.auth, audience: "cameras" } }))
      assert.deepStrictEqual(yield* Fiber.join(ending), ["the key was revoked", "tokens have to be others than before"])
      assert.deepStrictEqual(yield* statuses, [401, 401, 403, 403])
      // and so does whoever has the token itself
      assert.deepInclude((yield* call("get_camera_list")).error, { code: -32001 })
      // they are not back with what was before
      yield* SubscriptionRef.update(live, (now) => ({ ...now, auth: { ...now.auth, audience: "" } }))
      assert.strictEqual(yield* asked({ password: viewing_key }), 401)
    }),
    cameras
  )

  onFakes(
    "is for a camera that is there and may be seen; one user has 100 at most",
    Effect.gen(function* () {
      const call = yield* connect(yield* token({ role: "viewer", cameras: ["camera0", "camera9"] }))
      yield* twoCameras(yield* connect(yield* token({})))
      for (const device of ["camera1", "camera9"]) {
        assert.deepInclude((yield* call("create_viewing_key", { device })).error, { code: -32010 }, device)
      }
      for (let i = 0; i < 100; i++) resultOf(yield* call("create_viewing_key", { device: "camera0" }))
      assert.deepInclude((yield* call("create_viewing_key", { device: "camera0" })).error, { code: -32020 })
      const other = yield* connect(yield* token({ userId: "bob" }))
      resultOf(yield* other("create_viewing_key", { device: "camera0" }))
    }),
    cameras
  )
})

describe("a signed stream URL", () => {
  interface Signed {
    readonly rtsp: string
    readonly hls: string
    readonly webrtc: string
    readonly expires_at: string
  }
  const signed = (reply: Reply) => resultOf<{ readonly signed_urls?: Signed }>(reply).signed_urls
  const tokenIn = (url = "") => new URL(url).searchParams.get("token") ?? ""

  onFakes(
    "opens its camera's stream for a minute, and nothing else",
    Effect.gen(function* () {
      const call = yield* connect(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
      yield* twoCameras(call)
      assert.isUndefined(signed(yield* call("get_stream_url", { device: "camera0" })))
      assert.isUndefined(signed(yield* call("get_stream_url", { device: "camera0", signed: false })))
      const urls = signed(yield* call("get_stream_url", { device: "camera0", signed: true }))
      const shown = tokenIn(urls?.rtsp)
      assert.strictEqual(urls?.rtsp, `rtsp://127.0.0.1:8554/camera0?token=${shown}`)
      assert.strictEqual(urls?.hls, `http://127.0.0.1:8888/camera0/index.m3u8?token=${shown}`)
      assert.strictEqual(urls?.webrtc, `http://127.0.0.1:8889/camera0/whep?token=${shown}`)
      assert.isAtMost(shown.length, 100)
      for (const way of [{ query: `token=${shown}` }, { token: shown }, { password: shown }]) {
        assert.strictEqual(yield* asked(way), 200)
        assert.strictEqual(yield* asked({ ...way, path: "camera1" }), 401)
        for (const action of ["publish", "playback", "api", "metrics"]) {
          assert.strictEqual(yield* asked({ ...way, action }), 401, action)
        }
      }
      const stranger = yield* connect()
      assert.deepInclude((yield* stranger("authenticate", { auth_token: shown })).error, { code: -32001 })
      assert.strictEqual(yield* downloaded(8002, shown), 401)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* asked({ token: shown }), 200)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* asked({ token: shown }), 401)
    }),
    cameras
  )

  onFakes(
    "ends with the key that asked for it, and is no file's",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({}))
      yield* twoCameras(admin)
      const key = resultOf<Key>(yield* admin("create_api_key", { role: "viewer", cameras: ["camera1*"] }))
      const call = yield* connect(key.api_key)
      const hidden = yield* call("get_stream_url", { device: "camera0", signed: true })
      assert.deepInclude(hidden.error, { code: -32010 })
      const shown = tokenIn(signed(yield* call("get_stream_url", { device: "camera1", signed: true }))?.rtsp)
      assert.strictEqual(yield* asked({ token: shown, path: "camera1" }), 200)
      const { status } = yield* (yield* Visitors).ask(8002, { target: `/files/recordings/none.mp4?signed=${shown}` })
      assert.strictEqual(status, 403)
      resultOf(yield* admin("revoke_api_key", { key_id: key.key_id }))
      assert.strictEqual(yield* asked({ token: shown, path: "camera1" }), 401)
    }),
    cameras
  )
})

describe("MediaMTX's question", () => {
  onFakes(
    "is answered for a key as it is for a token, by the cameras that it may see, whatever others get wrong",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({}))
      yield* twoCameras(admin)
      const scoped = resultOf<Key>(yield* admin("create_api_key", { role: "viewer", cameras: ["camera1*"] })).api_key
      const byToken = yield* token({ role: "viewer", cameras: ["camera1*"] })
      for (let i = 0; i < 50; i++) assert.strictEqual(yield* asked({ password: `wrong ${i}` }), 401)
      for (const password of [scoped, byToken]) {
        for (const action of ["read", "playback"]) {
          assert.strictEqual(yield* asked({ action, password, path: "camera1" }), 200, action)
          assert.strictEqual(yield* asked({ action, password, path: "camera0" }), 401, action)
          assert.strictEqual(yield* asked({ action, password, path: "../camera1" }), 401, action)
        }
        for (const action of ["publish", "api", "metrics", "pprof", ""]) {
          assert.strictEqual(yield* asked({ action, password, path: "camera1" }), 401, action)
        }
      }
      assert.strictEqual(yield* downloaded(8002, scoped), 404)
    }),
    cameras
  )
})

describe("the transcode of a network camera", () => {
  const h265 = { codec: "h265", width: 1280, height: 720, rate: 25 }

  onFakes(
    "opens to whom its camera opens, and to nobody else; its URLs are told where browsers do not play the camera's own",
    Effect.gen(function* () {
      const admin = yield* connect(yield* token({}))
      yield* twoCameras(admin)
      const { id } = yield* attachCamera(undefined, h265)
      const name = `${id}_h264`
      const scoped = yield* token({ role: "viewer", cameras: [id] })
      const viewer = yield* connect(scoped)
      const params = { device: id }
      const { key_id, streams, viewing_key } = resultOf<Viewing>(yield* viewer("create_viewing_key", params))
      const signed = resultOf<{ readonly signed_urls: Record<string, string> }>(
        yield* viewer("get_stream_url", { ...params, signed: true })
      ).signed_urls
      for (const urls of [streams, signed]) {
        assert.strictEqual(new URL(urls["rtsp"] ?? "").pathname, `/${id}`)
        assert.strictEqual(new URL(urls["hls"] ?? "").pathname, `/${name}/index.m3u8`)
        assert.strictEqual(new URL(urls["webrtc"] ?? "").pathname, `/${name}/whep`)
      }
      const signature = new URL(signed["webrtc"] ?? "").searchParams.get("token") ?? ""
      for (const password of [scoped, viewing_key, signature]) {
        assert.strictEqual(yield* asked({ password, path: name }), 200)
        for (const path of ["camera0_h264", "camera1_h264", `${name}_h264`, `${name}x`, "camera9_h264"]) {
          assert.strictEqual(yield* asked({ password, path }), 401, path)
        }
        assert.strictEqual(yield* asked({ password, path: name, action: "publish" }), 401)
      }
      const other = yield* token({ role: "viewer", cameras: ["camera0"] })
      assert.strictEqual(yield* asked({ password: other, path: name }), 401)
      // cameras that FFmpeg reads have none, whoever asks
      assert.strictEqual(yield* asked({ password: yield* token({}), path: "camera0_h264" }), 401)
      resultOf(yield* admin("revoke_api_key", { key_id }))
      assert.strictEqual(yield* asked({ password: viewing_key, path: name }), 401)
      const status = resultOf<{ readonly transcode?: unknown }>(yield* viewer("get_stream_status", params))
      assert.deepInclude(status.transcode, {
        stream_name: name,
        needed: ["webrtc", "hls"].map((protocol) => ({ protocol, why: "few browsers play H265" }))
      })
      assert.isUndefined(
        resultOf<{ readonly transcode?: unknown }>(yield* admin("get_stream_status", { device: "camera0" })).transcode
      )
    }),
    cameras
  )
})
