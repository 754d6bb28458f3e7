import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import { type Moment, moments } from "../ground/Time.ts"

/** Who acts on a fact; the next one is not taken before. */
export type Act<Fact> = (fact: Fact) => Effect.Effect<unknown>

/** A fact, and when it was told. */
export type Told<Fact> = Fact & { readonly at: Moment }

/** Each fact once, in order, to all who follow; none is left out. */
export interface Followed<Fact> {
  /** acts on each fact from now on, for as long as the scope lives */
  readonly follow: (act: Act<Told<Fact>>) => Effect.Effect<void, never, Scope.Scope>
  /** the same, ahead of all others: for who tells clients */
  readonly followFirst: (act: Act<Told<Fact>>) => Effect.Effect<void, never, Scope.Scope>
}

/** What one noun tells. */
export interface Facts<Fact> extends Followed<Fact> {
  /** has each fact told here as well, in the same turn, for as long as the scope lives */
  readonly tellIn: (lanes: Lanes<Fact>) => Effect.Effect<void, never, Scope.Scope>
}

/** The noun's own end of it. */
export interface OwnFacts<Fact> extends Facts<Fact> {
  /** at once, from the place where it happened; who waits for facts has its turn after the caller's next pause */
  readonly tell: (fact: Fact) => void
}

/** The ways of a fact to those who follow: the first before the others. */
interface Lanes<Fact> {
  readonly first: (fact: Told<Fact>) => void
  readonly others: (fact: Told<Fact>) => void
}

const makeLane = Effect.fnUntraced(function* <Fact>() {
  const lane = yield* Effect.acquireRelease(PubSub.unbounded<Fact>(), PubSub.shutdown)
  return {
    tell: (fact: Fact): void => void PubSub.publishUnsafe(lane, fact),
    // no stream, which costs as much as all that follows
    follow: Effect.fnUntraced(function* (act: Act<Fact>) {
      const subscription = yield* PubSub.subscribe(lane)
      const next = Effect.flatMap(PubSub.take(subscription), act)
      // it waits from now on, or who follows first might not be the first to have a fact that is told at once
      yield* Effect.forkScoped(Effect.forever(next, { disableYield: true }), { startImmediately: true })
    })
  }
})

const makeFollowed = Effect.fnUntraced(function* <Fact>() {
  const first = yield* makeLane<Told<Fact>>()
  const others = yield* makeLane<Told<Fact>>()
  const lanes: Lanes<Fact> = { first: first.tell, others: others.tell }
  const followed: Followed<Fact> = { follow: others.follow, followFirst: first.follow }
  return { followed, lanes }
})

export const makeFacts = Effect.fnUntraced(function* <Fact extends object>() {
  const { followed, lanes: own } = yield* makeFollowed<Fact>()
  const everywhere = new Set([own])
  const now = yield* moments
  const facts: OwnFacts<Fact> = {
    ...followed,
    tell: (fact) => {
      const told = { ...fact, at: now() }
      for (const { first } of everywhere) first(told)
      for (const { others } of everywhere) others(told)
    },
    tellIn: (lanes) =>
      Effect.acquireRelease(
        Effect.sync(() => void everywhere.add(lanes)),
        () => Effect.sync(() => everywhere.delete(lanes))
      )
  }
  return facts
})

/** What all these nouns tell, in the order in which they tell it. */
export const mergeFacts = Effect.fnUntraced(function* <Fact>(nouns: ReadonlyArray<Pick<Facts<Fact>, "tellIn">>) {
  const { followed, lanes } = yield* makeFollowed<Fact>()
  for (const { tellIn } of nouns) yield* tellIn(lanes)
  return followed
})
