import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { rawId, rawIds } from "../../src/rpc/RawIds.ts"

const ids = ["1e3", "1.0", "-0", "12345678901234567890", '""', "null", '"\\u0041"', '"a\\\\\\"b"', "1E400", '"é"']

describe("the id of a message", () => {
  it.each(ids)("%s is found as it was written", (id) => {
    expect(rawId(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)).toBe(id)
    expect(rawId(`{ "method" : "ping" ,\n\t"id" :  ${id} \r\n}`)).toBe(id)
    expect(rawIds(`[1,{"id":${id}},"id",[{"id":2}],{}]`)).toEqual([undefined, id, undefined, undefined, undefined])
  })

  it("the last of several counts, as for JSON.parse", () => {
    expect(rawId('{"id":1,"id":2.0}')).toBe("2.0")
  })

  it("a key written with escapes counts", () => {
    expect(rawId('{"id":1,"\\u0069d":2.0,"i\\u0065":3}')).toBe("2.0")
    expect(rawId('{"\\u0069\\u0064":7.0}')).toBe("7.0")
  })

  it("an id inside params, or inside a text, is not the message's", () => {
    expect(rawId('{"params":{"id":1,"a":[{"id":2}]},"method":"\\"id\\":3"}')).toBeUndefined()
    expect(rawId('{"params":{"id":1},"id":"x"}')).toBe('"x"')
  })

  it("a message that is nested deeply, or one long text, takes one pass and no stack", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
    expect(rawId(`{"params":${deep},"id":1}`)).toBe("1")
    expect(rawId(`{"params":"${'\\"'.repeat(300_000)}","id":1}`)).toBe("1")
  })

  // any JSON, with white space and escapes in all places where they may be
  const space = fc.constantFrom("", " ", "\n", "\t\r ")
  const key = fc.oneof(
    fc.constantFrom('"id"', '"\\u0069d"', '"i\\u0064"'),
    fc.string().map((text) => JSON.stringify(text))
  )
  const value = fc.oneof(
    fc.constantFrom(...ids),
    fc.jsonValue().map((json) => JSON.stringify(json)),
    fc.jsonValue().map((json) => JSON.stringify(json, undefined, 2))
  )
  const object = fc
    .array(fc.tuple(space, key, space, space, value, space))
    .map((members) => `{${members.map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`).join(",")}}`)

  it("for any object it is the text that JSON.parse made the id of", () => {
    fc.assert(
      fc.property(space, object, (before, text) => {
        const parsed = JSON.parse(text) as { readonly id?: unknown }
        const raw = rawId(before + text)
        expect(raw === undefined).toBe(!Object.hasOwn(parsed, "id"))
        if (raw !== undefined) expect(JSON.parse(raw)).toEqual(parsed.id)
      }),
      { numRuns: 2000 }
    )
  })

  it("for any batch there is one for each entry", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(space, fc.oneof(object, value), space)), (entries) => {
        const text = `[${entries.map((parts) => parts.join("")).join(",")}]`
        const parsed = JSON.parse(text) as ReadonlyArray<unknown>
        const expected = entries.map(([, entry]) => (entry.startsWith("{") ? rawId(entry) : undefined))
        expect(rawIds(text)).toEqual(expected)
        expect(expected).toHaveLength(parsed.length)
      }),
      { numRuns: 1000 }
    )
  })
})
