import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { ApiKeyCreated, ViewingKeyCreated } from "../../schema/Auth.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { disturb, onFakes, publishing, takeMediaMtx } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { connect, resultOf, token } from "../support/RpcVisitor.ts"
import { admin, bearer, cameras, come, visit } from "../support/StreamVisitor.ts"

const get = (target: string, headers: Readonly<Record<string, string>> = {}) => come({ target, headers })

/** What a playlist names. */
const named = (text: string): string => /^(?!#)\S+$/m.exec(text)?.[0] ?? ""

describe("HLS on the service's own port", () => {
  onFakes(
    "starts an idle camera, and needs a credential for its index alone",
    Effect.gen(function* () {
      yield* admin
      const shown = yield* token({ role: "viewer" })
      assert.lengthOf(yield* publishing, 0)
      const index = yield* get("/hls/camera0/index.m3u8", bearer(shown))
      assert.strictEqual(index.status, 200)
      assert.strictEqual(index.headers["content-type"], "application/vnd.apple.mpegurl")
      assert.lengthOf(yield* publishing, 1)
      assert.notInclude(JSON.stringify(index), shown)
      const playlist = named(index.text)
      const { status, text } = yield* get(`/hls/camera0/${playlist}&_HLS_msn=1&_HLS_part=2&other=3`)
      assert.strictEqual(status, 200)
      const segment = yield* get(`/hls/camera0/${named(text)}`)
      assert.deepInclude(segment, { status: 200, text: "moof" })
      assert.strictEqual(segment.headers["content-type"], "video/mp4")
      // it opens nothing else
      assert.strictEqual((yield* get(`/hls/camera1/${playlist}`)).status, 401)
    }),
    cameras
  )

  onFakes(
    "lets in whoever may see the camera, and nobody else",
    Effect.gen(function* () {
      const call = yield* admin
      const key = resultOf<typeof ApiKeyCreated.Type>(yield* call("create_api_key", { role: "viewer" }))
      const viewing = resultOf<typeof ViewingKeyCreated.Type>(
        yield* call("create_viewing_key", { device: "camera0" })
      ).viewing_key
      const scoped = yield* token({ role: "viewer", cameras: ["camera1"] })
      const rows = [
        ["/hls/camera0/index.m3u8", { "x-api-key": key.api_key }, 200],
        [`/hls/camera0/index.m3u8?token=${viewing}`, {}, 200],
        ["/hls/camera1/index.m3u8", bearer(scoped), 200],
        ["/hls/camera0/index.m3u8", {}, 401],
        ["/hls/camera0/index.m3u8", bearer("wrong"), 401],
        ["/hls/camera0/index.m3u8?token=wrong", {}, 403],
        ["/hls/camera0/index.m3u8", bearer(scoped), 404],
        [`/hls/camera1/index.m3u8?token=${viewing}`, {}, 404],
        ["/hls/camera9/index.m3u8", bearer(key.api_key), 404],
        ["/hls/camera0/main_stream.m3u8", {}, 401],
        ["/hls/camera0/main_stream.m3u8?session=00000000-0000-4000-8000-0000000000ff", {}, 401],
        ["/hls/camera0/main_stream.m3u8?session=%0d%0a", {}, 401],
        ["/hls/camera0/", bearer(key.api_key), 404],
        ["/hls/camera0/../camera1/index.m3u8", bearer(scoped), 404],
        ["/hls/camera0/%2e%2e", bearer(key.api_key), 404],
        ["/hls/camera0/index.html", bearer(key.api_key), 404]
      ] as const
      for (const [target, headers, status] of rows) {
        assert.strictEqual((yield* get(target, headers)).status, status, `${target} ${JSON.stringify(headers)}`)
      }
      assert.strictEqual(
        (yield* visit({ method: "POST", target: "/hls/camera0/index.m3u8", headers: bearer(key.api_key) })).status,
        405
      )
    }),
    cameras
  )

  onFakes(
    "knows no gap.mp4, which no player may wait for",
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/hls/camera0/gap.mp4")).status, 404)
    }),
    cameras
  )

  onFakes(
    "ends with the key that opened it",
    Effect.gen(function* () {
      const call = yield* admin
      const { mediaMtx } = yield* TestGround
      const key = resultOf<typeof ApiKeyCreated.Type>(yield* call("create_api_key", { role: "viewer" }))
      const index = yield* get("/hls/camera0/index.m3u8", bearer(key.api_key))
      assert.lengthOf(mediaMtx.readers(), 1)
      resultOf(yield* call("revoke_api_key", { key_id: key.key_id }))
      yield* until(
        "it is kicked",
        Effect.sync(() => mediaMtx.readers().length === 0)
      )
      const { error, status } = yield* get(`/hls/camera0/${named(index.text)}`)
      assert.strictEqual(status, 401)
      assert.deepInclude(error?.data, { reason: "the session is over: ask for index.m3u8 again" })
    }),
    cameras
  )

  onFakes(
    "goes on where the stream has begun anew, and stays as it was while there is none, for as long as the key lasts",
    Effect.gen(function* () {
      const call = yield* admin
      const { mediaMtx } = yield* TestGround
      const key = resultOf<typeof ApiKeyCreated.Type>(yield* call("create_api_key", { role: "viewer" }))
      const index = yield* get("/hls/camera0/index.m3u8", bearer(key.api_key))
      const playlist = get(`/hls/camera0/${named(index.text)}`)
      const first = yield* playlist
      assert.include(first.text, "\n#EXT-X-MEDIA-SEQUENCE:0\n")

      // its FFmpeg dies, and the next one is there within the linger
      const endRun = Effect.gen(function* () {
        const [publisher] = yield* publishing
        yield* publisher?.kill ?? Effect.void
      })
      yield* endRun
      const second = yield* playlist
      assert.strictEqual(second.status, 200)
      assert.include(second.text, "\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-DISCONTINUITY\n")
      assert.notStrictEqual(named(second.text), named(first.text))
      assert.deepInclude(yield* get(`/hls/camera0/${named(second.text)}`), { status: 200, text: "moof" })
      assert.lengthOf(mediaMtx.readers(), 1)

      // there is no next one
      yield* disturb({ failStarts: 99 })
      yield* endRun
      for (let i = 0; i < 3; i++) assert.deepInclude(yield* playlist, { status: 200, text: second.text })
      resultOf(yield* call("revoke_api_key", { key_id: key.key_id }))
      for (let i = 0; i < 2; i++) {
        const { error, status } = yield* playlist
        assert.strictEqual(status, 401)
        assert.deepInclude(error?.data, { reason: "the session is over: ask for index.m3u8 again" })
      }
    }),
    cameras
  )

  onFakes(
    "opens no session anew for a playlist that the stream does not have",
    Effect.gen(function* () {
      yield* admin
      const { mediaMtx } = yield* TestGround
      const index = yield* get("/hls/camera0/index.m3u8", bearer(yield* token({ role: "viewer" })))
      const other = named(index.text).replace("main", "audio2")
      for (let i = 0; i < 3; i++) assert.strictEqual((yield* get(`/hls/camera0/${other}`)).status, 404)
      assert.lengthOf(mediaMtx.readers(), 1)
    }),
    cameras
  )

  onFakes(
    "goes on for who came by a signed URL, which was for a minute",
    Effect.gen(function* () {
      const call = yield* admin
      const { signed_urls } = resultOf<{ readonly signed_urls: { readonly hls: string } }>(
        yield* call("get_stream_url", { device: "camera0", signed: true })
      )
      const target = `/hls/camera0/index.m3u8${new URL(signed_urls.hls).search}`
      const playlist = get(`/hls/camera0/${named((yield* get(target)).text)}`)
      yield* playlist
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* get(target)).status, 403)
      const [publisher] = yield* publishing
      yield* publisher?.kill ?? Effect.void
      assert.include((yield* playlist).text, "\n#EXT-X-DISCONTINUITY\n")
    }),
    cameras
  )

  onFakes(
    "goes on for who renews the token, also where the stream begins anew after the end of the first",
    Effect.gen(function* () {
      yield* admin
      const shown = yield* token({ role: "viewer" })
      const call = yield* connect(shown)
      const index = yield* get("/hls/camera0/index.m3u8", bearer(shown))
      const playlist = (credential: string) => get(`/hls/camera0/${named(index.text)}`, bearer(credential))
      yield* playlist(shown)
      yield* TestClock.adjust("50 seconds")
      const { auth_token } = resultOf<{ readonly auth_token: string }>(yield* call("refresh_token"))
      yield* TestClock.adjust("15 seconds")
      const goesOn = yield* playlist(auth_token)
      assert.strictEqual(goesOn.status, 200)
      assert.notInclude(goesOn.text, "\n#EXT-X-DISCONTINUITY\n")
      const [publisher] = yield* publishing
      yield* publisher?.kill ?? Effect.void
      assert.include((yield* playlist(auth_token)).text, "\n#EXT-X-DISCONTINUITY\n")
      yield* TestClock.adjust("1 minute")
      const { error, status } = yield* playlist(auth_token)
      assert.strictEqual(status, 401)
      assert.deepInclude(error?.data, { reason: "the session is over: ask for index.m3u8 again" })
    }),
    cameras
  )

  onFakes(
    "says whether MediaMTX or the camera is to blame, and asks to come again",
    Effect.gen(function* () {
      yield* admin
      const shown = bearer(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
      yield* disturb({ failStarts: 99 })
      const noStream = yield* get("/hls/camera0/index.m3u8", shown)
      yield* takeMediaMtx
      const away = yield* get("/hls/camera0/index.m3u8", shown)
      for (const [said, dependency] of [
        [noStream, "camera"],
        [away, "mediamtx"]
      ] as const) {
        assert.strictEqual(said.status, 503)
        assert.strictEqual(said.headers["retry-after"], "1")
        assert.deepInclude(said.error?.data, { dependency })
      }
    }),
    { ...cameras, streams: { start_timeout_seconds: 2 } }
  )
})
