import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { appendFileSync, statSync } from "node:fs"
import { get, type IncomingMessage } from "node:http"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { readRtsp } from "../support/RtspReader.ts"
import { SharedService, statusOf } from "../support/Service.ts"
import { whepOffer } from "../support/WhepOffer.ts"

interface Key {
  readonly key_id: string
  readonly api_key: string
}

/** A recording that is longer than what the sockets between us hold: who does not read it keeps its download open. */
const longRecording = Effect.gen(function* () {
  const service = yield* SharedService
  const operator = yield* connect(service.url, yield* service.token({ role: "operator" }))
  yield* operator.result("start_recording", { device: "camera0" })
  const { filename } = yield* operator.result<{ readonly filename: string }>("stop_recording", { device: "camera0" })
  const path = join(service.ground.folder, "recordings", filename)
  appendFileSync(path, Buffer.alloc(64 << 20))
  return { filename, bytes: statSync(path).size }
})

type LongRecording = Effect.Success<typeof longRecording>

/** A download that has begun and is not read; it ends when the service breaks it off, with what had come by then. */
const beginDownload = Effect.fnUntraced(function* (filename: string, credential: string) {
  const { files } = yield* SharedService
  const headers = { authorization: `Bearer ${credential}` }
  const response = yield* Effect.acquireRelease(
    Effect.callback<IncomingMessage>((resume) => {
      get(`${files}/files/recordings/${filename}`, { headers, agent: false }, (came) => resume(Effect.succeed(came)))
    }),
    (came) => Effect.sync(() => came.destroy())
  )
  assert.strictEqual(response.statusCode, 200)
  return {
    ended: Effect.callback<number>((resume) => {
      let bytes = 0
      response.on("data", (chunk: Buffer) => void (bytes += chunk.length))
      response.on("error", () => undefined)
      response.on("close", () => resume(Effect.succeed(bytes)))
    })
  }
})

/** What somebody has open: at MediaMTX over RTSP, HLS and WebRTC, and a download. */
const openAll = Effect.fnUntraced(function* (camera: string, credential: string, recording: LongRecording) {
  const { hls, rtsp, webrtc } = (yield* SharedService).ground.ports
  const headers = { authorization: `Bearer ${credential}` }
  const reader = yield* readRtsp({ port: rtsp, path: camera, token: credential })
  yield* reader.firstPacket

  const base = `http://127.0.0.1:${hls}/${camera}/`
  const playlist = yield* eventually(
    "the playlist is there",
    Effect.promise(() =>
      fetch(new URL("index.m3u8", base), { headers }).then((response) => (response.ok ? response.text() : undefined))
    )
  )
  const variant = new URL(/^(?!#)\S+\.m3u8\S*$/m.exec(playlist)?.[0] ?? "", base).href
  assert.strictEqual(yield* statusOf(variant), 200)

  const offer = { method: "POST", headers: { ...headers, "content-type": "application/sdp" }, body: whepOffer }
  const whep = `http://127.0.0.1:${webrtc}/${camera}/whep`
  const answer = yield* Effect.promise(() => fetch(whep, offer))
  assert.strictEqual(answer.status, 201)
  const session = new URL(answer.headers.get("location") ?? "", whep).href

  const download = yield* beginDownload(recording.filename, credential)

  return {
    /** ends when all of it is over */
    ended: Effect.gen(function* () {
      yield* reader.ended
      assert.isBelow(yield* download.ended, recording.bytes)
      // all three are cut off at once, one answer after the other
      yield* eventually(
        "the playlist is refused",
        Effect.map(statusOf(variant), (status) => status === 401)
      )
      // a question that changes nothing while the session lives (WHEP: trickle ICE)
      const asked = { method: "PATCH", headers: { "content-type": "application/trickle-ice-sdpfrag" }, body: "" }
      yield* eventually(
        "the WebRTC session is gone",
        Effect.map(statusOf(session, asked), (status) => status === 404)
      )
    })
  }
})

const settings = { STREAMS_VIEWER_LINGER_SECONDS: "5" }

layer(SharedService.layer({ settings }), { timeout: "120 seconds", excludeTestServices: true })(
  "a credential that is over",
  (it) => {
    it.effect("ends what it opened: a key that is revoked, or rotated", () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const admin = yield* connect(service.url, yield* service.token({ role: "admin" }))
        const recording = yield* longRecording
        for (const method of ["revoke_api_key", "rotate_api_key"]) {
          const other = yield* admin.result<Key>("create_api_key", { role: "viewer" })
          const key = yield* admin.result<Key>("create_api_key", { role: "viewer", cameras: ["camera?"] })
          const client = yield* connect(service.url, key.api_key)
          yield* client.result("get_camera_list")
          const bystander = yield* readRtsp({ port: service.ground.ports.rtsp, path: "camera0", token: other.api_key })
          const { ended } = yield* openAll("camera0", key.api_key, recording)
          yield* admin.result(method, { key_id: key.key_id })
          yield* Effect.timeout(ended, "20 seconds")
          assert.include(yield* client.error("get_camera_list"), { code: -32001, reason: "the key was revoked" })
          yield* bystander.firstKeyframe
        }
      })
    )

    it.effect("ends what it opened: a token that expires", () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const keeper = yield* service.token({ role: "viewer" })
        yield* (yield* readRtsp({ port: service.ground.ports.rtsp, path: "camera1", token: keeper })).firstKeyframe
        const recording = yield* longRecording
        const ttl = 8
        const until = Math.floor(Date.now() / 1000) + ttl
        const { ended } = yield* openAll("camera1", yield* service.token({ role: "viewer", ttl }), recording)
        yield* Effect.sleep(Math.max(0, until * 1000 - Date.now()))
        yield* Effect.timeout(ended, "20 seconds")
      })
    )
  }
)
