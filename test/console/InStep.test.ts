import { assert, describe, it } from "@effect/vitest"
import { speedFor } from "../../src/console/timeline/InStep.ts"

describe("a video in step with another", () => {
  it("plays a little faster where it is behind, slower where it is ahead, and never much", () => {
    assert.strictEqual(speedFor(0), 1)
    assert.closeTo(speedFor(0.05), 1.1, 1e-9)
    assert.closeTo(speedFor(-0.05), 0.9, 1e-9)
    assert.strictEqual(speedFor(60), 1.25)
    assert.strictEqual(speedFor(-60), 0.75)
  })
})
