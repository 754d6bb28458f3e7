import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Health } from "../health/Health.ts"

/** Has health know that clients are served: from now on, until the end begins. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { serving } = yield* Health
    yield* Effect.acquireRelease(serving("RUNNING"), () => serving("STOPPING"))
  })
)
