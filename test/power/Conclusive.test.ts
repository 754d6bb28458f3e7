import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { conclusive, tooLate } from "./Conclusive.ts"
import type { History } from "./History.ts"

/** A life in which somebody looked at these times, in milliseconds. */
const seenAt = (...times: ReadonlyArray<number>): History => ({
  started: 0,
  policies: [],
  keys: [],
  revoked: [],
  snapshots: [],
  starts: [],
  stops: [],
  samples: times.map((time) => ({ at: time, time, recordings: new Map() })),
  files: new Map(),
  written: new Map(),
  end: 0
})

/** Lives one after the other, and how many of them there were. */
const livedIn = (...lives: ReadonlyArray<History>) => {
  let lived = 0
  const next = Effect.sync(() => lives[lived++] ?? assert.fail("one life too many"))
  return { life: conclusive(next, tooLate), lived: () => lived }
}

const [late, punctual] = [seenAt(0, 500, 1600), seenAt(0, 500, 1400)]

describe("a life on a machine that is late by more than a second", () => {
  it.effect("is lived again, and the one that says something counts", () =>
    Effect.gen(function* () {
      const { life, lived } = livedIn(late, late, punctual, punctual)
      assert.strictEqual(yield* life, punctual)
      assert.strictEqual(lived(), 3)
    })
  )

  it.effect("is no proof where all of them are late", () =>
    Effect.gen(function* () {
      const { life, lived } = livedIn(late, late, late)
      const exit = yield* Effect.exit(life)
      assert.strictEqual(exit._tag, "Failure")
      assert.include(String(exit), "late by 1.1 s")
      assert.strictEqual(lived(), 3)
    })
  )
})
