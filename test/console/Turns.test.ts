import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type * as Turns from "../../src/console/live/Turns.ts"
import { moduleOfPage } from "../support/PageModule.ts"

it.effect("a wall closes its connections one after the other, and who opens one does not wait for that", () =>
  Effect.gen(function* () {
    const { inClosingTurn, inOpeningTurn } = yield* Effect.promise(() => moduleOfPage<typeof Turns>("live/Turns.ts"))
    const done: Array<string> = []
    const note = (what: string) => Effect.sync(() => void done.push(what))
    const closing = ["one", "two", "three"].map((name) => inClosingTurn(note(`${name} is closed`)))
    const opening = ["the first", "another"].map((name) => inOpeningTurn(note(`${name} is opened`)))
    const all = [...closing, ...opening]
    yield* Effect.forEach(all, (turn) => Effect.forkChild(turn, { startImmediately: true }))
    assert.deepStrictEqual(done, ["the first is opened"])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(done.slice(1), ["one is closed", "another is opened"])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(done.slice(3), ["two is closed"])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(done.slice(4), ["three is closed"])
  })
)
