import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Entry } from "./KeyLife.ts"

/** `lastUsed` is told to this many milliseconds, and written after `writeUsesAfter` or at the end. */
const useResolution = 60_000
const writeUsesAfter = "5 minutes"

/** Remembers when keys were last used, and has it written as long as the scope lives. */
export const makeKeyUses = Effect.fnUntraced(function* (write: Effect.Effect<void>) {
  /** a use that is not written yet; capacity 1: one write is enough for all */
  const uses = yield* Queue.sliding<void>(1)
  yield* Effect.addFinalizer(() => Effect.flatMap(Queue.size(uses), (left) => (left > 0 ? write : Effect.void)))
  yield* Effect.sleep(writeUsesAfter).pipe(
    // taken only then: what is left at the end is written there
    Effect.andThen(Queue.take(uses)),
    Effect.andThen(write),
    Effect.forever,
    Effect.forkScoped
  )
  /** this key is used at this moment (epoch milliseconds) */
  return (entry: Entry, now: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (Math.abs(now - (entry.key.lastUsed ?? -Infinity)) < useResolution) return Effect.void
      entry.key = { ...entry.key, lastUsed: now }
      return Effect.asVoid(Queue.offer(uses, undefined))
    })
})
