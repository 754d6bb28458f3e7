import * as Effect from "effect/Effect"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import { Tickets } from "../../src/auth/Tickets.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Devices } from "../../src/device/Devices.ts"
import { LocalHttp } from "../../src/http/LocalHttp.ts"
import * as MediaMtxAuth from "../../src/http/MediaMtxAuth.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import { Viewers } from "../../src/stream/Viewers.ts"
import { Cameras } from "../../testing/Cameras.ts"
import { PlayedFfmpeg } from "../../testing/Ffmpeg.ts"
import { PlayedMediaMtx } from "../../testing/MediaMtx.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { Ports } from "../../testing/MemoryLoopback.ts"
import { Programs } from "../../testing/Programs.ts"
import { testSettings } from "../support/TestSettings.ts"

/** Our hook's one route, in memory. */
const localHttp = Layer.effect(
  LocalHttp,
  Effect.gen(function* () {
    const { health } = (yield* Settings).boot
    const { listen } = yield* Ports
    return LocalHttp.of({
      address: { host: "127.0.0.1", port: health.port },
      route: (_method, _path, handler) =>
        Effect.orDie(
          listen(health.port, {
            pid: 0,
            http: ({ body }) =>
              handler({ query: new URLSearchParams(), body: JSON.stringify(body), remoteAddress: "127.0.0.1" }).pipe(
                Effect.map(({ status }) => ({ status, body: {} }))
              )
          })
        )
    })
  })
)

/** The rooms above, which nobody here comes to. */
const above = Layer.mergeAll(
  Layer.mock(Tokens, {}),
  Layer.mock(Devices, {
    list: () => [],
    settled: () => true,
    facts: { follow: () => Effect.void, followFirst: () => Effect.void, tellIn: () => Effect.void }
  }),
  Layer.mock(Viewers, {})
)

/** Our layers as they are over a MediaMTX and FFmpegs that are played, all in memory. */
export const played = MediaMtxAuth.layer.pipe(
  Layer.provide([localHttp, above]),
  Layer.provideMerge([MediaMtx.layer, Ffmpeg.layer, Tickets.layer]),
  Layer.provideMerge(MediaMtxApi.layer),
  Layer.provideMerge(MediaMtxKey.layer),
  Layer.provideMerge(PlayedFfmpeg.layer),
  Layer.provideMerge(PlayedMediaMtx.layer),
  Layer.provideMerge([Cameras.layer, Ports.layer, Programs.layer, MemoryDisk.layer, layerWebCrypto]),
  Layer.provide(Layer.succeed(Settings, testSettings()))
)
