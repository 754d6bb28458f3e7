import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { get, request } from "node:https"
import { WebSocket } from "ws"
import { certificates, type Pair, shownAt } from "../support/Certificate.ts"
import { eventually } from "../support/Eventually.ts"
import { freePorts } from "../support/FreePorts.ts"
import { clientOf, makeGround, ready, start } from "../support/Service.ts"
import { whepOffer } from "../support/WhepOffer.ts"

/** The status, and the HSTS header. */
const fetchSecure = (url: string, ca: string, token?: string) =>
  Effect.callback<{ readonly status: number | undefined; readonly hsts: string | undefined }, Error>((resume) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    get(url, { ca, headers, agent: false }, (response) => {
      response.resume()
      const hsts = response.headers["strict-transport-security"]
      resume(Effect.succeed({ status: response.statusCode, hsts }))
    }).on("error", (cause) => resume(Effect.fail(cause)))
  })

/** The status of an offer (WHEP). */
const offerSecure = (url: string, ca: string, token: string) =>
  Effect.callback<number | undefined, Error>((resume) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/sdp" }
    const asking = request(url, { ca, headers, agent: false, method: "POST" }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode))
    })
    asking.on("error", (cause) => resume(Effect.fail(cause))).end(whepOffer)
  })

const codecOf = (url: string) =>
  Effect.callback<string>((resume) => {
    const args = ["-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name", "-of", "csv=p=0", url]
    execFile("ffprobe", args, (error, stdout) => resume(Effect.succeed(error === null ? stdout.trim() : error.message)))
  })

const callsOn = (socket: WebSocket) => (method: string) =>
  Effect.callback<string>((resume) => {
    socket.once("message", (data: Buffer) => resume(Effect.succeed(data.toString())))
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method }))
  })

it.live(
  "with a certificate all that other machines reach is encrypted, and a new one is shown without a restart",
  () =>
    Effect.gen(function* () {
      const { cert, key, make, put } = yield* certificates
      const [first, second, third] = [make(), make(), make()]
      put(first)
      const [tls = 0, rtsps = 0] = yield* freePorts(2)
      const settings = {
        TLS_CERTIFICATE_FILE: cert,
        TLS_KEY_FILE: key,
        TLS_PORT: String(tls),
        TLS_HSTS_SECONDS: "3600",
        SERVER_HOST: "0.0.0.0",
        MEDIAMTX_HOST: "0.0.0.0",
        MEDIAMTX_RTSPS_PORT: String(rtsps)
      }
      const service = yield* start(yield* makeGround({ cameras: 1, settings }))
      yield* ready(service)
      const { hls, playback, webrtc } = service.ground.ports
      const allShow = ({ serial }: Pair) =>
        Effect.forEach([tls, rtsps, hls, webrtc, playback], (port) =>
          eventually(
            `the new one is shown at ${port}`,
            Effect.map(shownAt(port), (shown) => shown === serial)
          )
        )
      const token = yield* service.token({ role: "operator" })

      // a console, JSON-RPC, and the way to them, for who trusts the certificate
      const page = yield* fetchSecure(`https://localhost:${tls}/`, first.cert)
      assert.deepStrictEqual(page, { status: 200, hsts: "max-age=3600" })
      yield* Effect.flip(fetchSecure(`https://localhost:${tls}/`, second.cert))
      const socket = yield* Effect.acquireRelease(
        Effect.callback<WebSocket, Error>((resume) => {
          const headers = { authorization: `Bearer ${token}` }
          const made = new WebSocket(`wss://localhost:${tls}/ws`, { ca: first.cert, headers })
          made.once("open", () => resume(Effect.succeed(made))).once("error", (cause) => resume(Effect.fail(cause)))
        }),
        (made) => Effect.sync(() => made.terminate())
      )
      const call = callsOn(socket)
      assert.include(yield* call("ping"), "pong")
      assert.include(yield* call("list_snapshots"), `"total":0`)

      // on the machine itself nothing is to be set: the plain ports are its alone
      const { call: callPlain } = yield* clientOf(service, { role: "viewer" })
      const [camera] = (yield* callPlain.get_camera_list({})).cameras
      assert.strictEqual(camera?.streams.rtsp, `rtsps://127.0.0.1:${rtsps}/camera0`)
      assert.match(camera?.streams.hls ?? "", new RegExp(`^https://127.0.0.1:${hls}/`))
      assert.match(camera?.streams.webrtc ?? "", new RegExp(`^https://127.0.0.1:${webrtc}/`))
      assert.strictEqual(yield* codecOf(`rtsps://127.0.0.1:${rtsps}/camera0?token=${token}`), "h264")
      const index = "camera0/index.m3u8"
      const direct = fetchSecure(`https://localhost:${hls}/${index}?cookieCheck=1`, first.cert, token)
      assert.strictEqual((yield* direct).status, 200)
      const relayed = fetchSecure(`https://localhost:${tls}/hls/${index}`, first.cert, token)
      assert.strictEqual((yield* relayed).status, 200)

      // half of a new one, which is none, then the whole
      put({ cert: second.cert, key: first.key })
      yield* eventually(
        "the log tells of it",
        Effect.sync(() => service.stderr().includes("the key is not that of the first certificate"))
      )
      assert.strictEqual(yield* shownAt(tls), first.serial)

      // twice within a second: MediaMTX passes over what comes so soon after another change (internal/confwatcher)
      put({ cert: second.cert, key: first.key })
      yield* Effect.sleep("100 millis")
      put(second)
      yield* allShow(second)
      // nobody has asked for WebRTC before
      assert.strictEqual(yield* offerSecure(`https://localhost:${tls}/whep/camera0`, second.cert, token), 201)
      put(third)
      yield* allShow(third)
      assert.include(yield* call("ping"), "pong")
      const relayedNow = fetchSecure(`https://localhost:${tls}/hls/${index}`, third.cert, token)
      assert.strictEqual((yield* relayedNow).status, 200)
      // it has seen no pair that does not fit
      assert.notInclude(service.stderr(), "certloader")
      yield* service.kill("SIGTERM")
      assert.strictEqual((yield* service.ended).code, 0)
    }),
  120_000
)
