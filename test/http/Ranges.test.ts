import { assert, describe, it } from "@effect/vitest"
import { matchesAny, parseRange, rangeApplies } from "../../src/http/Ranges.ts"

describe("a Range header", () => {
  it("asks for one part of the file", () => {
    assert.deepStrictEqual(parseRange("bytes=0-0", 10), { first: 0, last: 0 })
    assert.deepStrictEqual(parseRange("bytes=2-5", 10), { first: 2, last: 5 })
    assert.deepStrictEqual(parseRange("bytes=2-", 10), { first: 2, last: 9 })
    assert.deepStrictEqual(parseRange("bytes=-3", 10), { first: 7, last: 9 })
    assert.deepStrictEqual(parseRange("bytes=-99", 10), { first: 0, last: 9 })
    assert.deepStrictEqual(parseRange("bytes=5-99999999999999999999", 10), { first: 5, last: 9 })
  })

  it("outside of the file cannot be satisfied", () => {
    assert.strictEqual(parseRange("bytes=10-", 10), "unsatisfiable")
    assert.strictEqual(parseRange("bytes=-0", 10), "unsatisfiable")
    assert.strictEqual(parseRange("bytes=0-", 0), "unsatisfiable")
    assert.strictEqual(parseRange("bytes=-5", 0), "unsatisfiable")
  })

  it("that is malformed, backwards or manifold gives the whole file", () => {
    for (const header of [
      undefined,
      "",
      "bytes=-",
      "bytes=5-2",
      "bytes=0-1,3-4",
      "lines=0-1",
      "bytes=a-b",
      "bytes=1"
    ]) {
      assert.isUndefined(parseRange(header, 10), header)
    }
  })
})

describe("conditions", () => {
  it("compare what the client has with what there is", () => {
    assert.isTrue(matchesAny('"a", W/"b"', '"b"'))
    assert.isTrue(matchesAny("*", '"b"'))
    assert.isFalse(matchesAny('"ab"', '"b"'))
    assert.isFalse(matchesAny(undefined, '"b"'))
    assert.isTrue(rangeApplies(undefined, '"b"', "date"))
    assert.isTrue(rangeApplies('"b"', '"b"', "date"))
    assert.isTrue(rangeApplies("date", '"b"', "date"))
    assert.isFalse(rangeApplies('W/"b"', '"b"', "date"))
  })
})
