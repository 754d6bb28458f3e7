import { assert, describe, it } from "@effect/vitest"
import { recordedFrom } from "../../src/storage/RecordedFrom.ts"

const named = 1_000_000

describe("when a recording began", () => {
  it("is as long before it was written to last as it lasts, where its name is later: a first picture came late", () => {
    assert.strictEqual(recordedFrom(named, named + 9700, 10), named - 300)
  })

  it("is what its name says where it was written to later: by who copied it, or by a slow disk", () => {
    assert.strictEqual(recordedFrom(named, named + 10_020, 10), named)
    assert.strictEqual(recordedFrom(named, named + 86_400_000, 10), named)
  })

  it("is what its name says while nobody knows how long it lasts, and where the two are too far apart to be one clock's", () => {
    assert.strictEqual(recordedFrom(named, named + 100, 0), named)
    assert.strictEqual(recordedFrom(named, 0, 10), named)
    assert.strictEqual(recordedFrom(named, named + 10_000, 20), named)
  })
})
