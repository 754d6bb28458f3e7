import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { inClosingTurn, inOpeningTurn } from "../../src/console/live/Turns.ts"

it.effect("a wall closes its connections one after the other, and who opens one does not wait for that", () =>
  Effect.gen(function* () {
    const done: Array<string> = []
    const note = (what: string) => Effect.sync(() => void done.push(what))
    const closing = ["one", "two", "three"].map((name) => inClosingTurn(note(`${name} is closed`)))
    const all = [...closing, inOpeningTurn(note("another is opened"))]
    yield* Effect.forEach(all, (turn) => Effect.forkChild(turn, { startImmediately: true }))
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(done, ["one is closed", "another is opened"])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(done.slice(2), ["two is closed"])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(done.slice(3), ["three is closed"])
  })
)
