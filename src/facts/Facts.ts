import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"

/** Who acts on a fact; the next one is not taken before. */
export type Act<Fact> = (fact: Fact) => Effect.Effect<unknown>

/** What one noun tells: each fact once, in order, to all who follow; none is left out. */
export interface Facts<Fact> {
  /** at once, from the place where it happened; who waits for facts has its turn after the caller's next pause */
  readonly tell: (fact: Fact) => void
  /** acts on each fact from now on, for as long as the scope lives */
  readonly follow: (act: Act<Fact>) => Effect.Effect<void, never, Scope.Scope>
  /** the same, ahead of all others: for who tells clients */
  readonly followFirst: (act: Act<Fact>) => Effect.Effect<void, never, Scope.Scope>
}

export const makeFacts = <Fact>(): Effect.Effect<Facts<Fact>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const lane = Effect.acquireRelease(PubSub.unbounded<Fact>(), PubSub.shutdown)
    const first = yield* lane
    const others = yield* lane
    // no stream, which costs as much as all that follows
    const followOn = (from: PubSub.PubSub<Fact>) =>
      Effect.fnUntraced(function* (act: Act<Fact>) {
        const subscription = yield* PubSub.subscribe(from)
        const next = Effect.flatMap(PubSub.take(subscription), act)
        yield* Effect.forkScoped(Effect.forever(next, { disableYield: true }))
      })
    return {
      tell: (fact) => {
        PubSub.publishUnsafe(first, fact)
        PubSub.publishUnsafe(others, fact)
      },
      follow: followOn(others),
      followFirst: followOn(first)
    }
  })
