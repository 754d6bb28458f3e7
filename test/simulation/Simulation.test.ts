import { assert, describe, it } from "@effect/vitest"
import { liveThrough } from "./Day.ts"
import { shrink } from "./Shrink.ts"
import { replayOf, stepsOf } from "./Steps.ts"

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const count = 60
/** So many of the first are lived through twice. */
const twice = 5

describe("a busy time", () => {
  for (const seed of seeds) {
    it(`of seed ${seed} breaks no promise, and is the same each time`, async () => {
      const steps = stepsOf(seed, count)
      const first = await liveThrough(seed, steps)
      assert.isUndefined(first.broken, `${replayOf(seed, `--count ${count}`, steps)}\n${first.tail.join("\n")}`)
      if (seed <= twice) assert.strictEqual((await liveThrough(seed, steps)).hash, first.hash)
    })
  }

  it("of another seed is another one", async () => {
    const [one, other] = [await liveThrough(7, stepsOf(7, 5)), await liveThrough(8, stepsOf(8, 5))]
    assert.notStrictEqual(one.hash, other.hash)
  })
})

describe("a simulation", () => {
  const broken = stepsOf(1, 12).map(({ action, number, pause, seed }) => ({
    number,
    pause,
    seed,
    action: number === 8 ? "no such action" : action
  }))

  it("that fails says so, and is shrunk to the steps that it takes", async () => {
    const failed = await liveThrough(1, broken)
    assert.include(failed.broken, "no such action")
    const needed = await shrink(1, broken, failed)
    assert.deepEqual(
      needed.map(({ number }) => number),
      [8]
    )
    assert.strictEqual(
      replayOf(1, "--count 12", broken, needed),
      "node test/simulation/main.ts --seed 1 --count 12 --steps 8"
    )
  })
})
