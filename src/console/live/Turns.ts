import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/** A browser does nothing else meanwhile: a task of its own leaves room before it for a press and a paint. */
const pause = "1 millis"

/** `isHasty`: the first of all leaves no such room */
const makeTurns = (isHasty: boolean) => {
  const turn = Semaphore.makeUnsafe(1)
  let isAtOnce = isHasty
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    turn.withPermit(
      Effect.suspend(() => {
        if (!isAtOnce) return Effect.andThen(Effect.sleep(pause), effect)
        isAtOnce = false
        return effect
      })
    )
}

/**
 * To open and to close a connection takes Chromium 5 to 10 ms each, and a wall has all of its tiles do it at once: 16 in one go
 * would keep a press waiting for 200 ms. They are done one after the other; who opens does not wait for those that close.
 */
export const inClosingTurn = makeTurns(false)
/** The page's first offer is on its way before what is around the picture is painted. */
export const inOpeningTurn = makeTurns(true)
