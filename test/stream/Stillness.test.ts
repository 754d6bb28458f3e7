import { assert, describe, it } from "@effect/vitest"
import { makeStillness } from "../../src/stream/Stillness.ts"

describe("how long nothing has moved", () => {
  it("is counted from the last move, and from the beginning where there was none", () => {
    const stillness = makeStillness(1000)
    assert.strictEqual(stillness(undefined, 1250, 0), 250)
    assert.strictEqual(stillness(undefined, 1500, 0), 500)
    assert.strictEqual(stillness(1600, 1750, 0), 150)
    assert.strictEqual(stillness(1600, 2000, 0), 400)
  })

  it("leaves out what was not looked at for longer than a second", () => {
    const stillness = makeStillness(0)
    assert.strictEqual(stillness(undefined, 5000, 0), 1000)
  })

  it("leaves out the time in which the move had to wait for something else", () => {
    const stillness = makeStillness(0)
    assert.strictEqual(stillness(undefined, 900, 0), 900)
    assert.strictEqual(stillness(undefined, 1800, 1), 900)
    assert.strictEqual(stillness(undefined, 2000, 0), 1100)
  })
})
