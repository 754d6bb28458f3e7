import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Health } from "../health/Health.ts"
import { HeadStart, Served } from "../self/Served.ts"

/** Clients are served from now on: health knows it, until the end begins, and what had to wait for it goes on. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { serving } = yield* Health
    yield* Effect.acquireRelease(serving("RUNNING"), () => serving("STOPPING"))
    const { open } = yield* Served
    const headStart = yield* HeadStart
    yield* headStart === undefined ? open : Effect.forkScoped(Effect.delay(open, headStart))
  })
)
