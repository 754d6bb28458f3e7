import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type Hls from "hls.js"
import { spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { openPage } from "../support/browser/Browser.ts"
import { eventually } from "../support/Eventually.ts"
import { signal } from "../support/Processes.ts"
import { clientOf, SharedService, statusOf } from "../support/Service.ts"
import { whepOffer } from "../support/WhepOffer.ts"

const offerFor = (credential: string) => ({
  method: "POST",
  headers: { "content-type": "application/sdp", authorization: `Bearer ${credential}` },
  body: whepOffer
})

let used = 0
/** An idle camera that no other test of this file uses, and where the service has it. */
const idle = Effect.gen(function* () {
  const service = yield* SharedService
  const client = yield* clientOf(service, { role: "viewer" })
  const token = yield* service.token({ role: "viewer" })
  const device = `camera${used++}`
  assert.strictEqual((yield* client.call.get_stream_status({ device })).status, "INACTIVE")
  const origin = `http://127.0.0.1:${service.ground.ports.server}`
  return {
    client,
    device,
    origin,
    service,
    token,
    whep: `${origin}/whep/${device}`,
    hls: `${origin}/hls/${device}/index.m3u8`
  }
})

/** Plays a camera on a page of the service's own; `isWithoutUdp`: the page knows MediaMTX's TCP address alone. */
const plays = Effect.fnUntraced(function* (whep: string, token: string, isWithoutUdp: boolean) {
  const page = yield* openPage
  yield* Effect.promise(async () => {
    await page.goto(new URL("/", whep).href)
    await page.evaluate(
      async ([address = "", shown = "", udp = ""]) => {
        const video = document.createElement("video")
        Object.assign(video, { muted: true, autoplay: true })
        document.body.append(video)
        const peer = new RTCPeerConnection()
        peer.addTransceiver("video", { direction: "recvonly" })
        peer.ontrack = ({ streams: [stream] }) => {
          video.srcObject = stream ?? null
        }
        await peer.setLocalDescription()
        const headers = { "content-type": "application/sdp", authorization: `Bearer ${shown}` }
        const answer = await fetch(address, { method: "POST", headers, body: peer.localDescription?.sdp ?? "" })
        const sdp = await answer.text()
        await peer.setRemoteDescription({ type: "answer", sdp: sdp.replace(new RegExp(udp, "gi"), "") })
        Object.assign(window, { peer })
      },
      [whep, token, isWithoutUdp ? "a=candidate:\\S+ \\d+ udp .*\\r\\n" : "never"]
    )
    await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 1, undefined, {
      timeout: 60_000
    })
    const transports = await page.evaluate(async () => {
      const { peer } = window as unknown as { peer: RTCPeerConnection }
      const all = [...(await peer.getStats()).values()]
      const used = all.find(({ nominated, type }) => type === "candidate-pair" && nominated === true)
      return all.filter(({ id }) => id === used?.remoteCandidateId).map(({ protocol }) => String(protocol))
    })
    assert.deepStrictEqual(transports, [isWithoutUdp ? "tcp" : "udp"])
  })
})

const settings = { STREAMS_VIEWER_LINGER_SECONDS: "1" }

layer(SharedService.layer({ cameras: 8, settings }), { timeout: "120 seconds", excludeTestServices: true })(
  "on the service's own port",
  (it) => {
    for (const isWithoutUdp of [false, true]) {
      it.effect(
        `an idle camera plays in a browser over WHEP${isWithoutUdp ? ", where UDP does not come through" : ""}`,
        () => Effect.flatMap(idle, ({ token, whep }) => plays(whep, token, isWithoutUdp))
      )
    }

    for (const way of ["a header", "the URL"] as const) {
      it.effect(`an idle camera plays in ffprobe over HLS, with the credential in ${way}`, () =>
        Effect.gen(function* () {
          const { hls, token } = yield* idle
          const shown =
            way === "a header" ? ["-headers", `Authorization: Bearer ${token}\r\n`, hls] : [`${hls}?token=${token}`]
          const { stderr, stdout } = spawnSync(
            "ffprobe",
            [
              ...["-v", "error", "-select_streams", "v", "-read_intervals", "%+#60", "-count_frames"],
              ...["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", ...shown]
            ],
            { encoding: "utf8", timeout: 100_000 }
          )
          assert.isAtLeast(Number.parseInt(stdout, 10), 58, stderr)
        })
      )
    }

    it.effect("hls.js and FFmpeg see pictures again where a stream has begun anew, and nobody reloads anything", () =>
      Effect.gen(function* () {
        const { device, hls, origin, service, token } = yield* idle
        const address = `${hls}?token=${token}`
        const page = yield* openPage
        yield* Effect.promise(async () => {
          await page.goto(origin)
          await page.evaluate(readFileSync(fileURLToPath(import.meta.resolve("hls.js/dist/hls.min.js")), "utf8"))
          await page.evaluate((source) => {
            const video = document.createElement("video")
            Object.assign(video, { muted: true, autoplay: true })
            document.body.append(video)
            const made = new (window as unknown as { Hls: typeof Hls }).Hls({ enableWorker: false })
            made.loadSource(source)
            made.attachMedia(video)
          }, address)
        })
        const seen = (seconds: number) =>
          Effect.promise(() =>
            page.waitForFunction((least) => (document.querySelector("video")?.currentTime ?? 0) > least, seconds, {
              timeout: 100_000
            })
          )
        const args = ["-v", "error", "-i", address, "-map", "0:v", "-f", "null", "-progress", "pipe:1", "-"]
        const player = yield* Effect.acquireRelease(
          Effect.sync(() => spawn("ffmpeg", args, { stdio: ["ignore", "pipe", "inherit"] })),
          (made) => Effect.sync(() => void made.kill("SIGKILL"))
        )
        let frames = 0
        player.stdout.setEncoding("utf8").on("data", (text: string) => {
          for (const [, count] of text.matchAll(/^frame=\s*(\d+)/gm)) frames = Number(count)
        })
        const decoded = (count: number) =>
          eventually(
            `${count} pictures`,
            Effect.sync(() => frames >= count)
          )
        yield* decoded(30)
        yield* seen(1)
        const encoder = service.ground.running("ffmpeg").find(({ argv }) => argv.join(" ").includes(`/${device}`))
        signal(encoder?.pid ?? 0, "SIGKILL")
        const buffered = yield* Effect.promise(() =>
          page.evaluate(() => document.querySelector("video")?.buffered.end(0))
        )
        // more than either had by then
        yield* decoded(frames + 50)
        yield* seen((buffered ?? 0) + 1)
      })
    )

    it.effect("what a key opened ends with it", () =>
      Effect.gen(function* () {
        const { device, hls, origin, service, whep } = yield* idle
        const admin = yield* clientOf(service, { role: "admin" })
        const { api_key: key, key_id } = yield* admin.call.create_api_key({ role: "viewer", cameras: [device] })
        const answer = yield* Effect.promise(() => fetch(whep, offerFor(key)))
        assert.strictEqual(answer.status, 201)
        const session = new URL(answer.headers.get("location") ?? "", origin).href
        assert.match(session, new RegExp(`^${whep}/[0-9a-f-]{36}$`))
        const index = yield* Effect.promise(() => fetch(hls, { headers: { "x-api-key": key } }))
        assert.strictEqual(index.status, 200)
        const playlist = new URL(/^(?!#)\S+$/m.exec(yield* Effect.promise(() => index.text()))?.[0] ?? "", hls).href
        assert.strictEqual(yield* statusOf(playlist), 200)
        yield* admin.call.revoke_api_key({ key_id })
        const candidates = { method: "PATCH", headers: { "content-type": "application/trickle-ice-sdpfrag" }, body: "" }
        yield* eventually(
          "both are gone",
          Effect.map(
            Effect.all([statusOf(playlist), statusOf(session, candidates)]),
            ([list, whepSession]) => list === 401 && whepSession === 404
          )
        )
        assert.strictEqual(yield* statusOf(whep, offerFor(key)), 401)
      })
    )

    it.effect(
      "a MediaMTX that hangs is told to who waits, then at once to whoever comes; and then it is served again",
      () =>
        Effect.gen(function* () {
          const { service, token, whep } = yield* idle
          const [mediaMtx] = service.ground.running("mediamtx")
          const began = performance.now()
          signal(mediaMtx?.pid ?? 0, "SIGSTOP")
          assert.strictEqual(yield* statusOf(whep, offerFor(token)), 503)
          // a stream may take 10 s to start: that is not waited for
          assert.isBelow(performance.now() - began, 8000)
          const again = performance.now()
          assert.strictEqual(yield* statusOf(whep, offerFor(token)), 503)
          assert.isBelow(performance.now() - again, 2000)
          signal(mediaMtx?.pid ?? 0, "SIGCONT")
          yield* eventually(
            "it is served",
            Effect.map(statusOf(whep, offerFor(token)), (status) => status === 201)
          )
        })
    )

    it.effect("after MediaMTX was killed the camera is served again", () =>
      Effect.gen(function* () {
        const { service, token, whep } = yield* idle
        assert.strictEqual(yield* statusOf(whep, offerFor(token)), 201)
        const [mediaMtx] = service.ground.running("mediamtx")
        signal(mediaMtx?.pid ?? 0, "SIGKILL")
        const status = yield* statusOf(whep, offerFor(token))
        assert.include([201, 503], status)
        yield* eventually(
          "it is served",
          Effect.map(statusOf(whep, offerFor(token)), (now) => now === 201)
        )
      })
    )
  }
)
