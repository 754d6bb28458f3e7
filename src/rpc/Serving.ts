import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Health } from "../health/Health.ts"
import { Recordings } from "../recording/Recordings.ts"
import { HeadStart, Served } from "../self/Served.ts"

/**
 * Clients are served from now on: health knows it, until the end begins, and what had to wait for it goes on. The end begins
 * with recordings: clients are there to be told of it.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { serving } = yield* Health
    const recordings = yield* Recordings
    yield* Effect.acquireRelease(serving("RUNNING"), () => Effect.andThen(serving("STOPPING"), recordings.end))
    const { open } = yield* Served
    const headStart = yield* HeadStart
    yield* headStart === undefined ? open : Effect.forkScoped(Effect.delay(open, headStart))
  })
)
