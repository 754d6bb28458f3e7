import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../src/config/Settings.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import { PlayedMediaMtx } from "../../testing/MediaMtx.ts"
import { Ports } from "../../testing/MemoryLoopback.ts"
import { Programs } from "../../testing/Programs.ts"
import { key } from "../support/Key.ts"
import { testSettings } from "../support/TestSettings.ts"

/** Answers MediaMTX's questions: its API opens to our key, all else to nobody. */
const hook = Layer.effectDiscard(
  Effect.gen(function* () {
    const { health } = (yield* Settings).boot
    const { listen } = yield* Ports
    const { opens } = yield* MediaMtxKey
    yield* listen(health.port, {
      pid: 0,
      http: ({ body }) => {
        const { action, password, user } = body as Readonly<Record<string, string>>
        const isRight = action === "api" && opens(user ?? "", password ?? "")
        return Effect.succeed({ status: isRight ? 200 : 401, body: {} })
      }
    })
  })
)

/** Our layers as they are over a MediaMTX that is played, in memory but for its configuration file. */
export const played = MediaMtx.layer.pipe(
  Layer.provideMerge(MediaMtxApi.layer),
  Layer.provideMerge(hook),
  Layer.provideMerge(key),
  Layer.provideMerge(PlayedMediaMtx.layer),
  Layer.provideMerge([Ports.layer, Programs.layer, Disk.layer]),
  Layer.provide(Layer.succeed(Settings, testSettings()))
)
