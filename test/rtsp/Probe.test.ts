import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Tcp } from "../../src/ground/Tcp.ts"
import { probe } from "../../src/rtsp/Probe.ts"
import type { RtspFailed } from "../../src/rtsp/RtspFailed.ts"
import type { RtspTarget } from "../../src/rtsp/Target.ts"
import { cameraSdp } from "../../testing/RtspPackets.ts"
import type { RtspFaults } from "../../testing/RtspFaults.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { asTimePasses } from "../suites/recordings.ts"
import { onTestGround } from "../support/App.ts"
import type { Ground } from "../support/Ground.ts"
import { login, target, url, withLogin } from "../support/NetworkCamera.ts"

/** What a camera with these faults is described as, or why it is not; and what it was asked. */
const probed = Effect.fnUntraced(function* (faults: Partial<RtspFaults>, at: RtspTarget) {
  const { rtspCameras } = yield* TestGround
  const camera = yield* rtspCameras.start(target.address)
  yield* camera.disturb(faults)
  const result = yield* asTimePasses(Effect.result(probe(yield* Tcp, at)))
  return { camera, found: result._tag === "Success" ? result.success : result.failure }
}, Effect.scoped)

const onGround = <E>(name: string, body: Effect.Effect<void, E, Ground | TestGround | Tcp>) =>
  it.effect(name, () => onTestGround(body))

const described = {
  video: {
    codec: "h264",
    clockRate: 90_000,
    width: 640,
    height: 480,
    rate: 30,
    profile: "constrained baseline",
    level: "3.0",
    hasBFrames: false
  },
  hasKlv: true
}

describe("a camera that is asked what its stream is", () => {
  onGround(
    "tells by its description and parameter sets, and plays nothing for it",
    Effect.gen(function* () {
      const { camera, found } = yield* probed({}, target)
      assert.deepEqual(found, described)
      assert.deepEqual(camera.requests(), [`OPTIONS ${url}`, `DESCRIBE ${url}`])
    })
  )

  onGround(
    "is asked with its password, which it does not see",
    Effect.gen(function* () {
      const { found } = yield* probed({ login: { ...login, way: "SHA-256" } }, yield* withLogin)
      assert.deepEqual(found, described)
    })
  )

  onGround(
    "plays until its first keyframe where its description has no parameter sets",
    Effect.gen(function* () {
      const { camera, found } = yield* probed({ sdp: cameraSdp.replace(/;sprop\S+/, "") }, target)
      assert.deepEqual(found, described)
      assert.strictEqual(camera.requests().at(-1), `TEARDOWN ${url}/`)
      assert.strictEqual(camera.playing(), 0)
    })
  )

  onGround(
    "is believed in its words where they are all that there is",
    Effect.gen(function* () {
      const sdp = "v=0\r\nm=video 0 RTP/AVP 33\r\na=control:1\r\nm=audio 0 RTP/AVP 8\r\na=control:2\r\n"
      const { found } = yield* probed({ sdp }, target)
      assert.deepEqual(found, { video: { codec: "mp2t", clockRate: 90_000 } })
    })
  )

  onGround(
    "that sends elsewhere is not followed, and what it names is told without its credentials",
    Effect.gen(function* () {
      const { camera, found } = yield* probed({ refuses: { OPTIONS: "302 Found" } }, yield* withLogin)
      assert.deepInclude(found, { _tag: "RtspFailed", kind: "REDIRECTED", detail: "it sends to 10.0.0.1" })
      assert.lengthOf(camera.requests(), 1)
    })
  )

  onGround(
    "by TLS, and speaks RTSP without it, is told to do so, and sees no password",
    Effect.gen(function* () {
      const known = yield* withLogin
      const { camera, found } = yield* probed({ login: { ...login, way: "SHA-256" } }, { ...known, isSecure: true })
      assert.deepInclude(found, { _tag: "RtspFailed", kind: "PROTOCOL" })
      assert.include(
        (found as RtspFailed).detail,
        "speaks RTSP without TLS at this port: its address begins with rtsp://"
      )
      assert.deepEqual(camera.requests(), ["OPTIONS *"])
    })
  )

  onGround(
    "by TLS, and speaks RTSP without it although it had a certificate, is not the one that it was",
    Effect.gen(function* () {
      const { found } = yield* probed({}, { ...target, isSecure: true, fingerprint: "ab".repeat(32) })
      assert.deepInclude(found, { _tag: "RtspFailed", kind: "CERTIFICATE_CHANGED" })
      assert.include((found as RtspFailed).detail, "without TLS")
    })
  )

  onGround(
    "without TLS, and speaks it, is told to do so",
    Effect.gen(function* () {
      const { peers } = yield* TestGround
      peers.certificates.set(`${target.address}:${target.port}`, "ab".repeat(32))
      const { camera, found } = yield* probed({}, target)
      assert.deepInclude(found, { _tag: "RtspFailed", kind: "PROTOCOL" })
      assert.include((found as RtspFailed).detail, "speaks TLS at this port: its address begins with rtsps://")
      assert.deepEqual(camera.requests(), [])
    })
  )

  onGround(
    "and goes without a word, whichever way it is asked, is not reached",
    Effect.gen(function* () {
      const { peers } = yield* TestGround
      yield* peers.listen(target.address, target.port, ({ hear }) => Effect.ignore(hear))
      for (const isSecure of [false, true]) {
        const result = yield* asTimePasses(Effect.flip(probe(yield* Tcp, { ...target, isSecure })))
        assert.strictEqual(result.kind, "UNREACHABLE")
      }
    }).pipe(Effect.scoped)
  )
})
