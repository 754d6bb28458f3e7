import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { RequiredRole, roleIncludes, roles } from "../../schema/Auth.ts"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { announce, readRtsp } from "../support/RtspReader.ts"
import { type Grant, SharedService, statusOf } from "../support/Service.ts"

const clientOf = (grant: Grant) =>
  Effect.gen(function* () {
    const service = yield* SharedService
    return yield* connect(service.url, yield* service.token(grant))
  })

const secured = [...CameraRpcs.requests.values()].flatMap((rpc) => {
  const role = Context.get(rpc.annotations, RequiredRole)
  return role === undefined ? [] : [{ method: rpc._tag as string, role }]
})

interface Key {
  readonly key_id: string
  readonly api_key: string
}

const codeOf = (error: { readonly code: number } | undefined): number => error?.code ?? 0

layer(SharedService.layer(), { timeout: "120 seconds", excludeTestServices: true })("rights", (it) => {
  it.effect("a stranger may ping, and gets nothing else", () =>
    Effect.gen(function* () {
      const stranger = yield* connect((yield* SharedService).url)
      assert.strictEqual(yield* stranger.result("ping"), "pong")
      for (const { method } of secured) {
        const error = yield* stranger.error(method, { device: "camera0", filename: "a.mp4" })
        assert.include(error, { code: -32001, message: "Auth Failed", reason: "authenticate first" }, method)
      }
    })
  )

  for (const have of roles) {
    it.effect(`${have}: every method above the role is refused, with both roles named; no other is`, () =>
      Effect.gen(function* () {
        const client = yield* clientOf({ role: have })
        for (const { method, role } of secured) {
          // never valid, so that what is allowed does nothing
          const { error } = yield* client.call(method, { of_no_method: 1 })
          if (roleIncludes(have, role)) {
            assert.strictEqual(codeOf(error), -32602, method)
          } else {
            assert.strictEqual(codeOf(error), -32002, method)
            assert.deepInclude(error?.data, { required_role: role, have_role: have })
          }
        }
      })
    )
  }

  it.effect("a token that is no token, is forged, or has expired is refused with the reason", () =>
    Effect.gen(function* () {
      const service = yield* SharedService
      const client = yield* connect(service.url)
      const good = yield* service.token({ role: "admin" })
      const old = yield* service.token({ role: "admin", ttl: -1 })
      const endless = yield* service.token({ role: "admin", ttl: 1e308 })
      const forged = `${good.slice(0, -4)}${good.endsWith("AAAA") ? "BBBB" : "AAAA"}`
      const reasons: ReadonlyArray<readonly [string, string]> = [
        ["", "the token is not valid"],
        ["x".repeat(10_000), "the token is not valid"],
        [forged, "the token's signature is wrong"],
        [old, "the token has expired"],
        [endless, "the token lacks a claim that makes sense: user_id, role, iat and exp are needed"]
      ]
      for (const [auth_token, reason] of reasons) {
        assert.include(yield* client.error("authenticate", { auth_token }), { code: -32001, reason })
        assert.include(yield* client.error("get_camera_list"), { code: -32001, reason: "authenticate first" })
      }
    })
  )

  it.effect(
    "a connection whose token runs out is refused until it authenticates anew, and told nothing meanwhile",
    () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const client = yield* connect(service.url, yield* service.token({ role: "viewer", ttl: 2 }))
        yield* client.result("get_camera_list")
        const operator = yield* clientOf({ role: "operator" })
        const expired = yield* eventually(
          "the token has run out",
          Effect.map(client.call("get_camera_list"), ({ error }) => error)
        )
        assert.strictEqual(expired.code, -32001)
        assert.include(expired.data, { reason: "the token has expired" })
        assert.strictEqual(yield* client.result("ping"), "pong")
        const heard = client.notices().length
        yield* operator.result("start_recording", { device: "camera0" })
        yield* operator.result("stop_recording", { device: "camera0" })
        yield* client.result("ping")
        assert.strictEqual(client.notices().length, heard)

        yield* client.result("authenticate", { auth_token: yield* service.token({ role: "viewer" }) })
        assert.include(yield* client.result<object>("get_camera_list"), { total: 2 })
        yield* operator.result("start_recording", { device: "camera0" })
        yield* client.notice("recording_status_update", ({ status }) => status === "RECORDING")
        yield* operator.result("stop_recording", { device: "camera0" })
      })
  )

  it.effect("who may see one camera finds no trace of another: not in replies, files, notifications or streams", () =>
    Effect.gen(function* () {
      const service = yield* SharedService
      const operator = yield* clientOf({ role: "operator" })
      const token = yield* service.token({ role: "admin", cameras: ["camera1"] })
      const limited = yield* connect(service.url, token)

      const picture = yield* operator.result<{ readonly filename: string }>("take_snapshot", { device: "camera0" })
      yield* operator.result("start_recording", { device: "camera0" })
      const recording = yield* operator.result<{ readonly filename: string }>("stop_recording", { device: "camera0" })
      yield* limited.result("start_recording", { device: "camera1" })
      yield* limited.result("stop_recording", { device: "camera1" })
      yield* limited.notice("recording_status_update", ({ status }) => status === "STOPPED")

      assert.include(yield* limited.result<object>("get_camera_list"), { total: 1, connected: 1 })
      assert.strictEqual((yield* limited.result<ReadonlyArray<unknown>>("get_streams")).length, 1)
      assert.include(yield* limited.result<object>("list_recordings"), { total: 1 })
      assert.include(yield* limited.result<object>("list_snapshots"), { total: 0 })
      assert.include(yield* limited.result<object>("list_recordings", { device: "camera0" }), { total: 0 })
      yield* limited.result("get_system_status")
      assert.notInclude(limited.texts().join("\n"), "camera0")

      for (const { method } of secured.filter((one) => /camera_|stream_|_stream|_recording$|take/.test(one.method))) {
        const { error } = yield* limited.call(method, { device: "camera0" })
        if (error !== undefined && error.code !== -32602) {
          assert.strictEqual(error.code, -32010, method)
          assert.deepInclude(error.data, { resource: "camera", id: "camera0" }, method)
        }
      }
      const files = [
        ["recording", recording.filename],
        ["snapshot", picture.filename]
      ] as const
      const headers = { authorization: `Bearer ${token}` }
      for (const [kind, filename] of files) {
        for (const method of [`get_${kind}_info`, `delete_${kind}`]) {
          assert.include(yield* limited.error(method, { filename }), { code: -32010, resource: kind, id: filename })
        }
        assert.strictEqual(yield* statusOf(`${service.files}/files/${kind}s/${filename}`, { headers }), 404)
      }

      const { hls, playback, rtsp, webrtc } = service.ground.ports
      const offer = { method: "POST", headers: { ...headers, "content-type": "application/sdp" }, body: "v=0\r\n" }
      const rtspStatus = Effect.map(
        Effect.flip(readRtsp({ port: rtsp, path: "camera0", token })),
        ({ status }) => status
      )
      const refusals = [
        rtspStatus,
        statusOf(`http://127.0.0.1:${hls}/camera0/index.m3u8`, { headers }),
        statusOf(`http://127.0.0.1:${webrtc}/camera0/whep`, offer),
        statusOf(`http://127.0.0.1:${playback}/list?path=camera0`, { headers })
      ]
      // MediaMTX takes its time for each refusal
      assert.deepStrictEqual(yield* Effect.all(refusals, { concurrency: "unbounded" }), [401, 401, 401, 401])
      assert.strictEqual(yield* statusOf(`http://127.0.0.1:${playback}/list?path=camera1`, { headers }), 200)
      yield* (yield* readRtsp({ port: rtsp, path: "camera1", token })).firstKeyframe
    })
  )

  it.effect("hold on MediaMTX's ports, on downloads and on metrics, for every credential alike", () =>
    Effect.gen(function* () {
      const service = yield* SharedService
      const { api, hls, playback, rtsp, webrtc } = service.ground.ports
      const admin = yield* clientOf({ role: "admin" })
      const key = (params: object) => admin.result<Key>("create_api_key", { role: "viewer", ...params })
      const revoked = yield* key({})
      yield* admin.result("revoke_api_key", { key_id: revoked.key_id })
      const viewing = yield* admin.result<{ readonly viewing_key: string }>("create_viewing_key", { device: "camera0" })
      const { filename } = yield* admin.result<{ readonly filename: string }>("take_snapshot", { device: "camera0" })

      const credentials = {
        nobody: undefined,
        viewer: yield* service.token({ role: "viewer" }),
        operator: yield* service.token({ role: "operator" }),
        admin: yield* service.token({ role: "admin" }),
        key: (yield* key({})).api_key,
        glob: yield* service.token({ role: "viewer", cameras: ["camera?"] }),
        viewingKey: viewing.viewing_key,
        expired: yield* service.token({ role: "admin", ttl: -1 }),
        revoked: revoked.api_key,
        wrongCamera: yield* service.token({ role: "admin", cameras: ["camera1*"] }),
        keyOfWrongCamera: (yield* key({ cameras: ["camera1"] })).api_key,
        viewingKeyOfWrongCamera: (yield* admin.result<typeof viewing>("create_viewing_key", { device: "camera1" }))
          .viewing_key
      }
      const may = (status: number, more: { readonly playback?: number; readonly download?: number } = {}) => ({
        ...{ rtsp: status, hls: status, webrtc: status === 200 ? 204 : status, playback: status, download: status },
        // who may connect to that port is the operator's choice: nobody is asked for a token there
        ...{ publish: 401, api: 401, metrics: 200 },
        ...more
      })
      const expected: Record<keyof typeof credentials, ReturnType<typeof may>> = {
        nobody: may(401),
        viewer: may(200),
        operator: may(200),
        admin: may(200),
        key: may(200),
        glob: may(200),
        viewingKey: may(200, { playback: 401, download: 401 }),
        expired: may(401),
        revoked: may(401),
        wrongCamera: may(401, { download: 404 }),
        keyOfWrongCamera: may(401, { download: 404 }),
        viewingKeyOfWrongCamera: may(401)
      }

      const statuses = Effect.fnUntraced(function* (credential: string | undefined) {
        const headers: Record<string, string> =
          credential === undefined ? {} : { authorization: `Bearer ${credential}` }
        const target = { port: rtsp, path: "camera0", ...(credential === undefined ? {} : { token: credential }) }
        const http = (port: number, path: string, method = "GET") =>
          statusOf(`http://127.0.0.1:${port}${path}`, { headers, method })
        return yield* Effect.all(
          {
            rtsp: Effect.matchEffect(readRtsp(target), {
              onFailure: ({ status }) => Effect.succeed(status),
              onSuccess: () => Effect.succeed(200)
            }),
            hls: http(hls, "/camera0/"),
            webrtc: http(webrtc, "/camera0/whep", "OPTIONS"),
            playback: http(playback, "/list?path=camera0"),
            download: statusOf(`${service.files}/files/snapshots/${filename}`, { headers }),
            publish: announce({ port: rtsp, path: "camera0", user: "any", password: credential ?? "" }),
            api: http(api, "/v3/paths/list"),
            metrics: statusOf(`${service.health}/metrics`, { headers })
          },
          // MediaMTX takes its time for each refusal
          { concurrency: "unbounded" }
        )
      }, Effect.scoped)
      yield* admin.result("start_recording", { device: "camera0" })
      yield* admin.result("stop_recording", { device: "camera0" })
      const found = yield* Effect.all(
        Object.fromEntries(Object.entries(credentials).map(([name, credential]) => [name, statuses(credential)])),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(found, expected)
    })
  )

  it.effect("open a stream to FFmpeg's own tools, which cut a token, with a viewing key as the password", () =>
    Effect.gen(function* () {
      const service = yield* SharedService
      const viewer = yield* clientOf({ role: "viewer" })
      const { viewing_key } = yield* viewer.result<{ readonly viewing_key: string }>("create_viewing_key", {
        device: "camera0"
      })
      const probed = (password: string) =>
        Effect.promise(() => {
          const url = `rtsp://viewer:${password}@127.0.0.1:${service.ground.ports.rtsp}/camera0`
          const args = ["-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
          return promisify(execFile)("ffprobe", [...args, url]).then(
            ({ stdout }) => stdout.trim(),
            ({ stderr }: { readonly stderr: string }) => stderr
          )
        })
      assert.strictEqual(yield* probed(viewing_key), "h264")
      assert.include(yield* probed(yield* service.token({ role: "viewer" })), "401")
    })
  )
})
