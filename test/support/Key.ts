import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"

/** The key of MediaMTX's API, where nothing answers MediaMTX's questions, or the test does. */
export const key = Layer.effectDiscard(Effect.flatMap(MediaMtxKey, ({ answering }) => answering)).pipe(
  Layer.provideMerge(MediaMtxKey.layer),
  Layer.provide(layerWebCrypto)
)
