import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../support/Eventually.ts"
import { announce, readRtsp } from "../support/RtspReader.ts"
import { clientOf, SharedService, statusOf } from "../support/Service.ts"
import { whepOffer } from "../support/WhepOffer.ts"

const settings = { STREAMS_VIEWER_LINGER_SECONDS: "2", STREAMS_START_TIMEOUT_SECONDS: "3" }
const cameras = 7

const bytesOf = (response: Response) => Effect.promise(async () => Buffer.from(await response.arrayBuffer()))

/** The service, and a camera that no other test of this file uses. */
const idle = (device: string) =>
  Effect.gen(function* () {
    const service = yield* SharedService
    const token = yield* service.token({ role: "viewer" })
    const client = yield* clientOf(service, { role: "viewer" })
    const status = Effect.map(client.call.get_stream_status({ device }), (found) => found.status)
    assert.strictEqual(yield* status, "INACTIVE")
    return { ...service.ground.ports, service, token, client, status }
  })

layer(SharedService.layer({ cameras, settings }), { timeout: "120 seconds", excludeTestServices: true })(
  "readers who come straight to MediaMTX",
  (it) => {
    it.effect("without a token get no picture by any protocol, and wake no camera", () =>
      Effect.gen(function* () {
        const { hls, playback, rtsp, service, webrtc } = yield* idle("camera0")
        for (const target of [{}, { token: "wrong" }, { query: "?token=wrong" }]) {
          const refused = yield* Effect.flip(readRtsp({ port: rtsp, path: "camera0", ...target }))
          assert.include(refused, { step: "DESCRIBE", status: 401 })
        }
        const offer = { method: "POST", headers: { "content-type": "application/sdp" }, body: whepOffer }
        assert.strictEqual(yield* statusOf(`http://127.0.0.1:${hls}/camera0/index.m3u8`), 401)
        assert.strictEqual(yield* statusOf(`http://127.0.0.1:${webrtc}/camera0/whep`, offer), 401)
        assert.strictEqual(yield* statusOf(`http://127.0.0.1:${playback}/list?path=camera0`), 401)
        assert.deepStrictEqual(service.ground.running("ffmpeg"), [])
      })
    )

    it.effect("over RTSP are held until the idle camera's stream is there, with the token as the password", () =>
      Effect.gen(function* () {
        const { client, rtsp, status, token } = yield* idle("camera0")
        const reader = yield* readRtsp({ port: rtsp, path: "camera0", token })
        yield* reader.firstPacket
        yield* reader.firstKeyframe
        assert.strictEqual(yield* status, "ACTIVE")
        const readers = client.call.get_stream_url({ device: "camera0" })
        assert.strictEqual((yield* readers).active_consumers, 1)
      })
    )

    it.effect("may give the token in the query", () =>
      Effect.gen(function* () {
        const { rtsp, token } = yield* idle("camera1")
        yield* (yield* readRtsp({ port: rtsp, path: "camera1", query: `?token=${token}` })).firstKeyframe
      })
    )

    it.effect("leave a stream that lives on for its linger time, and then its FFmpeg is gone", () =>
      Effect.gen(function* () {
        const { rtsp, service, status, token } = yield* idle("camera2")
        const mine = () => service.ground.running("ffmpeg").filter(({ argv }) => argv.join(" ").includes("camera2"))
        yield* Effect.scoped(
          Effect.flatMap(readRtsp({ port: rtsp, path: "camera2", token }), ({ firstKeyframe }) => firstKeyframe)
        )
        assert.strictEqual(yield* status, "ACTIVE")
        assert.lengthOf(mine(), 1)
        yield* eventually(
          "the stream has ended",
          Effect.map(status, (now) => now === "INACTIVE")
        )
        assert.deepStrictEqual(mine(), [])
      })
    )

    it.effect("over HLS get a playlist of an idle camera, and a segment with H.264 in it", () =>
      Effect.gen(function* () {
        const { hls, token } = yield* idle("camera3")
        const base = `http://127.0.0.1:${hls}/camera3/`
        const get = (name: string) =>
          Effect.promise(() => fetch(new URL(name, base), { headers: { authorization: `Bearer ${token}` } }))
        const textOf = (name: string) =>
          eventually(
            `${name} is there`,
            Effect.gen(function* () {
              const response = yield* get(name)
              const text = yield* Effect.promise(() => response.text())
              return response.ok ? text : undefined
            })
          )
        const variants = yield* textOf("index.m3u8")
        assert.include(variants, "#EXTM3U")
        const variant = /^(?!#)\S+\.m3u8\S*$/m.exec(variants)?.[0] ?? ""
        const firstOf = (text: string) => /^(?!#)\S+\.mp4\S*$/m.exec(text)?.[0]
        const segments = yield* eventually(
          "the playlist has a segment",
          Effect.map(textOf(variant), (text) => (firstOf(text) === undefined ? undefined : text))
        )
        const begin = /#EXT-X-MAP:URI="([^"]+)"/.exec(segments)?.[1] ?? ""
        assert.isTrue((yield* bytesOf(yield* get(begin))).includes("avc1"))
        const segment = yield* get(firstOf(segments) ?? "")
        assert.strictEqual(segment.status, 200)
        assert.isTrue((yield* bytesOf(segment)).includes("moof"))
      })
    )

    it.effect("are let in by a signed URL as it stands, over RTSP, HLS and WebRTC, to its camera alone", () =>
      Effect.gen(function* () {
        const { client, rtsp } = yield* idle("camera4")
        const { signed_urls } = yield* client.call.get_stream_url({ device: "camera4", signed: true })
        const urls = signed_urls ?? { rtsp: "", hls: "", webrtc: "" }
        const { pathname, search } = new URL(urls.rtsp)
        const reader = yield* readRtsp({ port: rtsp, path: pathname.slice(1), query: search })
        yield* reader.firstKeyframe
        const stranger = yield* Effect.flip(readRtsp({ port: rtsp, path: "camera0", query: search }))
        assert.include(stranger, { step: "DESCRIBE", status: 401 })
        const playlist = yield* eventually(
          "the playlist is there",
          Effect.promise(() => fetch(urls.hls).then((response) => (response.ok ? response.text() : undefined)))
        )
        // what follows belongs to the session that this has opened
        const variant = /^(?!#)\S+\.m3u8\S*$/m.exec(playlist)?.[0] ?? ""
        assert.strictEqual(yield* statusOf(new URL(variant, urls.hls).href), 200)
        const offer = { method: "POST", headers: { "content-type": "application/sdp" }, body: whepOffer }
        assert.strictEqual(yield* statusOf(urls.webrtc, offer), 201)
      })
    )

    it.effect("over WebRTC get an answer for an idle camera", () =>
      Effect.gen(function* () {
        const { token, webrtc } = yield* idle("camera6")
        const headers = { "content-type": "application/sdp", authorization: `Bearer ${token}` }
        const response = yield* Effect.promise(() =>
          fetch(`http://127.0.0.1:${webrtc}/camera6/whep`, { method: "POST", headers, body: whepOffer })
        )
        assert.strictEqual(response.status, 201)
        assert.match(yield* Effect.promise(() => response.text()), /^m=video[\s\S]*H264/m)
      })
    )

    it.effect("play a recording back with a token that may see its camera", () =>
      Effect.gen(function* () {
        const { playback, service, token } = yield* idle("camera5")
        const operator = yield* clientOf(service, { role: "operator" })
        yield* operator.call.start_recording({ device: "camera5" })
        yield* operator.call.stop_recording({ device: "camera5" })
        const headers = { authorization: `Bearer ${token}` }
        const list = yield* Effect.promise(() =>
          fetch(`http://127.0.0.1:${playback}/list?path=camera5`, { headers }).then((response) => response.json())
        )
        const [{ duration, start }] = list as readonly [{ readonly start: string; readonly duration: number }]
        const query = new URLSearchParams({ path: "camera5", start, duration: String(duration) })
        const file = yield* Effect.promise(() => fetch(`http://127.0.0.1:${playback}/get?${query}`, { headers }))
        assert.strictEqual(file.status, 200)
        assert.isTrue((yield* bytesOf(file)).includes("ftyp"))
      })
    )

    it.effect("never publish, whatever their role", () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const password = yield* service.token({ role: "admin" })
        const { rtsp: port } = service.ground.ports
        assert.strictEqual(yield* announce({ port, path: "camera0", user: "admin", password }), 401)
        assert.notStrictEqual(yield* announce({ port, path: "other", user: "admin", password }), 200)
      })
    )

    it.effect("find no stream that is no camera's", () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const token = yield* service.token({ role: "admin" })
        const { rtsp: port } = service.ground.ports
        assert.include(yield* Effect.flip(readRtsp({ port, path: "other", token })), { step: "DESCRIBE" })
        assert.include(yield* Effect.flip(readRtsp({ port, path: "camera77", token })), { step: "DESCRIBE" })
      })
    )
  }
)
