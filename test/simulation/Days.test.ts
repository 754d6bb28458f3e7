import { assert, describe, it } from "@effect/vitest"
import { liveThrough } from "./Day.ts"
import { daysOf, replayOf } from "./Steps.ts"

/** Thousand days in all: a life is of 25. */
const lives = 40
const days = 25

describe("days, the quiet hours of which pass at once,", () => {
  for (let seed = 1; seed <= lives; seed++) {
    it(`${days} of them, of seed ${seed}, break no promise`, async () => {
      const steps = daysOf(seed, days)
      const { broken, passed, tail } = await liveThrough(seed, steps)
      assert.isUndefined(broken, `${replayOf(seed, `--days ${days}`, steps)}\n${tail.join("\n")}`)
      assert.isAtLeast(passed, days * 86_400_000)
    })
  }

  it("are the same each time, to the byte", async () => {
    const [one, other] = [await liveThrough(41, daysOf(41, 5)), await liveThrough(41, daysOf(41, 5))]
    assert.strictEqual(one.hash, other.hash)
  })
})
