import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Rpc from "effect/rpc/Rpc"
import { makeMethods } from "../../src/rpc/Methods.ts"
import { InvalidPayload } from "../../src/rpc/Validation.ts"

let encodings = 0
const Counted = Schema.Struct({
  get n() {
    return Schema.Int
  }
})

const method = Rpc.make("subscribe", {
  payload: Schema.Struct({
    topics: Schema.Array(Schema.String),
    filters: Schema.optionalKey(Schema.Struct({ device: Schema.optionalKey(Schema.String) }))
  }),
  success: Counted
})
const methods = makeMethods([method, Rpc.make("nothing")])

const decode = (params: unknown) => {
  const payload = methods.get("subscribe")?.decode(params)
  return payload instanceof InvalidPayload ? { ...payload.error } : payload
}

describe("params", () => {
  it("that fit are decoded", () => {
    expect(decode({ topics: ["a"], filters: { device: "x" } })).toEqual({ topics: ["a"], filters: { device: "x" } })
  })

  it("are named by their path where they break a rule, however deep", () => {
    expect(decode({ topics: ["a", 1] })).toMatchObject({ param: "topics[1]", rule: "a text" })
    expect(decode({ topics: [], filters: { device: 5 } })).toMatchObject({ param: "filters.device", rule: "a text" })
    expect(decode({ topics: [], filters: [] })).toMatchObject({ param: "filters", rule: "an object" })
    expect(decode({ topics: "a" })).toMatchObject({ param: "topics", rule: "a list" })
  })

  it("that nobody knows are refused, in nested objects too", () => {
    expect(decode({ topics: [], filters: { devise: "x" } })).toMatchObject({
      param: "filters.devise",
      rule: "unknown parameter",
      hint: "did you mean device?"
    })
  })
})

describe("a result", () => {
  it("that is the same object as before is not encoded again", () => {
    const result = {
      get n() {
        encodings++
        return 1
      }
    }
    const encode = methods.get("subscribe")?.encode
    expect(encode?.(result)).toBe('{"n":1}')
    const once = encodings
    expect(encode?.(result)).toBe('{"n":1}')
    expect(encodings).toBe(once)
    expect(encode?.({ n: 2 })).toBe('{"n":2}')
  })

  it("that breaks its schema is not sent", () => {
    expect(() => methods.get("subscribe")?.encode({ n: "1" })).toThrow()
  })

  it("that is nothing is null", () => {
    expect(methods.get("nothing")?.encode(undefined)).toBe("null")
  })
})
