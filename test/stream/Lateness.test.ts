import { assert, describe, it } from "@effect/vitest"
import { makeLateness } from "../../src/stream/Lateness.ts"

describe("what of a stillness is the machine's", () => {
  it("is the time for which the program waited for a CPU, four fifths of it at most", () => {
    let waited = 7000
    const lateness = makeLateness(() => waited)
    assert.strictEqual(lateness(undefined, 0), 0)
    waited += 125
    assert.closeTo(lateness(undefined, 250), 0.4, 0.001)
    assert.strictEqual(lateness(undefined, 500), 0)
    // four of its threads
    waited += 1000
    assert.closeTo(lateness(undefined, 750), 0.8, 0.001)
  })

  it("is not asked for while there are moves, nor made of what was before the last one", () => {
    let asked = 0
    const lateness = makeLateness(() => ++asked * 1000)
    assert.strictEqual(lateness(100, 200), 0)
    assert.strictEqual(lateness(300, 400), 0)
    assert.strictEqual(asked, 0)
    assert.strictEqual(lateness(300, 600), 0)
    assert.closeTo(lateness(300, 800), 0.8, 0.001)
    assert.strictEqual(lateness(900, 1000), 0)
    assert.strictEqual(asked, 2)
  })

  it("is nothing where one of its threads has ended, and its time with it", () => {
    let waited = 1000
    const lateness = makeLateness(() => waited)
    lateness(undefined, 0)
    waited = 200
    assert.strictEqual(lateness(undefined, 250), 0)
  })
})
