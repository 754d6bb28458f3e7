import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { networkInterfaces } from "node:os"
import { eventually } from "../support/Eventually.ts"
import { readRtsp } from "../support/RtspReader.ts"
import { clientOf, makeGround, ready, start, startReady, statusOf } from "../support/Service.ts"

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1") === true)

it.live.runIf(hasIpv6)("on IPv6's loopback a reader gets the stream, and clients the URLs it is read at", () =>
  Effect.gen(function* () {
    const service = yield* startReady({ cameras: 1, settings: { MEDIAMTX_HOST: "::1" } })
    const { rtsp } = service.ground.ports
    const client = yield* clientOf(service, { role: "viewer" })
    const { stream_url } = yield* client.call.get_stream_url({ device: "camera0" })
    assert.strictEqual(stream_url, `rtsp://[::1]:${rtsp}/camera0`)
    const token = yield* service.token({ role: "viewer" })
    yield* (yield* readRtsp({ host: "::1", port: rtsp, path: "camera0", token })).firstKeyframe
    // read beside the readers
    const { restarts } = yield* eventually(
      "the stream's SPS is read",
      Effect.filterOrFail(client.call.get_stream_status({ device: "camera0" }), ({ codec }) => codec.conformant)
    )
    assert.strictEqual(restarts, 0)
  })
)

it.live.runIf(hasIpv6)("JSON-RPC and health listen on IPv6's loopback, and MediaMTX asks there who may read", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround({ cameras: 1, settings: { HEALTH_HOST: "::", SERVER_HOST: "::1" } })
    const service = yield* start(ground)
    yield* ready(service)
    const { health, rtsp, server } = ground.ports
    assert.strictEqual(yield* statusOf(`http://[::1]:${health}/health/ready`), 200)
    assert.include(service.stderr(), `ws://[::1]:${server}/ws`)
    const client = yield* clientOf({ ...service, url: `ws://[::1]:${server}/ws` }, { role: "viewer" })
    assert.strictEqual((yield* client.call.get_camera_list({})).total, 1)
    const token = yield* service.token({ role: "viewer" })
    yield* (yield* readRtsp({ port: rtsp, path: "camera0", token })).firstKeyframe
  })
)

it.live.runIf(hasIpv6)(
  "MediaMTX that listens everywhere is read on both loopbacks, and known by the machine's name",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1, settings: { MEDIAMTX_HOST: "::" } })
      const { rtsp: port } = service.ground.ports
      const token = yield* service.token({ role: "viewer" })
      for (const host of ["::1", "127.0.0.1"]) {
        yield* (yield* readRtsp({ host, port, path: "camera0", token })).firstKeyframe
      }
    })
)
