import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Sent } from "../../src/device/Input.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { cameraSdp } from "../../testing/RtspPackets.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { attachCamera, target } from "../support/NetworkCamera.ts"
import { token } from "../support/RpcVisitor.ts"
import { bearer, come, visit } from "../support/StreamVisitor.ts"
import { whepOffer } from "../support/WhepOffer.ts"

const h265: Sent = { codec: "h265", width: 1280, height: 720, rate: 25 }
/** Its picture is what browsers play, and its sound over HLS alone. */
const withAac: Sent = {
  ...{ codec: "h264", width: 640, height: 480, rate: 10, hasBFrames: false, audioCodec: "mpeg4-generic" },
  ...{ profile: "constrained baseline", level: "3.0" }
}

/** A camera in the network that was seen to send this, and a viewer. */
const viewing = Effect.fnUntraced(function* (sends: Sent) {
  const { rtspCameras } = yield* TestGround
  const camera = yield* rtspCameras.start(target.address)
  yield* camera.disturb({ sdp: cameraSdp })
  const { id } = yield* attachCamera(target, sends)
  yield* (yield* Paths).awaitPath(`${id}_h264`)
  return { id, headers: bearer(yield* token({ role: "viewer", timeToLive: Duration.hours(1) })) }
})

const offer = (name: string, headers: Readonly<Record<string, string>>) =>
  come({
    ...{ method: "POST", target: `/whep/${name}`, body: whepOffer },
    headers: { ...headers, "content-type": "application/sdp" }
  })

const readPaths = Effect.map(TestGround, ({ mediaMtx }) =>
  mediaMtx.readers().map(({ path, protocol }) => `${protocol} ${path}`)
)

describe("a camera that browsers do not play, on the service's own port", () => {
  onFakes(
    "is its transcode over WHEP, at an address that names the stream that the session began with",
    Effect.gen(function* () {
      const { headers, id } = yield* viewing(h265)
      for (const name of [id, `${id}_h264`]) {
        const opened = yield* offer(name, headers)
        assert.strictEqual(opened.status, 201, opened.text)
        assert.deepStrictEqual(yield* readPaths, [`webrtc ${id}_h264`])
        const session = opened.headers["location"] ?? ""
        assert.match(session, new RegExp(`^/whep/${id}_h264/[0-9a-f-]{36}$`))
        assert.strictEqual((yield* visit({ method: "DELETE", target: session })).status, 200)
      }
    })
  )

  onFakes(
    "is its transcode over HLS, whose index names what is the transcode's",
    Effect.gen(function* () {
      const { headers, id } = yield* viewing(h265)
      for (const name of [id, `${id}_h264`]) {
        const index = yield* come({ target: `/hls/${name}/index.m3u8`, headers })
        assert.strictEqual(index.status, 200, index.text)
        const named = /^(?!#)\S+$/m.exec(index.text)?.[0] ?? ""
        const { pathname, search } = new URL(named, `http://host/hls/${name}/index.m3u8`)
        assert.strictEqual(pathname, `/hls/${id}_h264/main_stream.m3u8`)
        const playlist = yield* come({ target: pathname + search })
        assert.deepInclude(playlist, { status: 200 })
        assert.include(playlist.text, "main_seg0.mp4")
      }
      assert.deepStrictEqual(yield* readPaths, [`hls ${id}_h264`, `hls ${id}_h264`])
    })
  )

  onFakes(
    "is its own stream over what browsers do play it by",
    Effect.gen(function* () {
      const { headers, id } = yield* viewing(withAac)
      assert.strictEqual((yield* offer(id, headers)).status, 201)
      assert.strictEqual((yield* come({ target: `/hls/${id}/index.m3u8`, headers })).status, 200)
      assert.deepStrictEqual(yield* readPaths, [`webrtc ${id}_h264`, `hls ${id}`])
    })
  )

  onFakes(
    "has a name that only a camera with a transcode has",
    Effect.gen(function* () {
      const { headers, id } = yield* viewing(h265)
      const other = yield* plugIn(7)
      for (const name of [`${other}_h264`, `${id}_h264_h264`, `${id}_h265`]) {
        assert.strictEqual((yield* offer(name, headers)).status, 404, name)
        assert.strictEqual((yield* come({ target: `/hls/${name}/index.m3u8`, headers })).status, 404, name)
      }
      const scoped = bearer(yield* token({ role: "viewer", cameras: [other] }))
      assert.strictEqual((yield* offer(`${id}_h264`, scoped)).status, 404)
    })
  )
})
