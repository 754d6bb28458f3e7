import { assert, describe, it } from "@effect/vitest"
import { conditionOf, parseRange, rangeApplies } from "../../src/http/Ranges.ts"

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
  const modified = Date.parse("2026-03-01T10:00:00.500Z")
  const of = (headers: Record<string, string>) => conditionOf((name) => headers[name], { etag: '"b"', modified })
  const at = "Sun, 01 Mar 2026 10:00:00 GMT"
  const before = "Sun, 01 Mar 2026 09:59:59 GMT"

  it("compare what the client has with what there is", () => {
    assert.strictEqual(of({}), "send")
    assert.strictEqual(of({ "if-none-match": '"a", W/"b"' }), "not modified")
    assert.strictEqual(of({ "if-none-match": "*" }), "not modified")
    assert.strictEqual(of({ "if-none-match": '"ab"' }), "send")
    assert.strictEqual(of({ "if-modified-since": at }), "not modified")
    assert.strictEqual(of({ "if-modified-since": before }), "send")
    assert.strictEqual(of({ "if-modified-since": "yesterday" }), "send")
  })

  it("refuse what the client does not want", () => {
    assert.strictEqual(of({ "if-match": '"b"' }), "send")
    assert.strictEqual(of({ "if-match": "*" }), "send")
    assert.strictEqual(of({ "if-match": 'W/"b", "a"' }), "precondition failed")
    assert.strictEqual(of({ "if-unmodified-since": at }), "send")
    assert.strictEqual(of({ "if-unmodified-since": before }), "precondition failed")
  })

  it("heed an ETag before a date", () => {
    assert.strictEqual(of({ "if-none-match": '"a"', "if-modified-since": at }), "send")
    assert.strictEqual(of({ "if-match": '"b"', "if-unmodified-since": before }), "send")
  })

  it("have a part go with what the client has", () => {
    assert.isTrue(rangeApplies(undefined, '"b"', "date"))
    assert.isTrue(rangeApplies('"b"', '"b"', "date"))
    assert.isTrue(rangeApplies("date", '"b"', "date"))
    assert.isFalse(rangeApplies('W/"b"', '"b"', "date"))
  })
})
