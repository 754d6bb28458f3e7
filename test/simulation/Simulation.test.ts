import { describe, expect, it } from "vitest"
import { liveThrough, stepsOf } from "./Day.ts"

describe("the simulation", () => {
  it.each([1, 2, 3])("tells the same of seed %i each time, to the byte", async (seed) => {
    const [first, second] = [await liveThrough(seed, stepsOf(seed, 30)), await liveThrough(seed, stepsOf(seed, 30))]
    expect(first.broken).toBeUndefined()
    expect(second.hash).toBe(first.hash)
  })
})
