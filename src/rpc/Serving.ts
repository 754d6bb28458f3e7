import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Health } from "../health/Health.ts"
import { MediaMtx } from "../process/MediaMtx.ts"

/** Clients are served: health knows it until the end begins, and MediaMTX starts, which would have kept the first ones waiting. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { serving } = yield* Health
    yield* Effect.acquireRelease(serving("RUNNING"), () => serving("STOPPING"))
    yield* (yield* MediaMtx).start
  })
)
