import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { type ControlInfo, type Given, valueFor } from "../../src/device/Control.ts"

const control = (more: Partial<ControlInfo> = {}): ControlInfo => ({
  id: 0x980900,
  name: "Brightness",
  type: "integer",
  minimum: -10n,
  maximum: 10n,
  step: 1n,
  default: 0n,
  menu: [],
  flags: new Set(),
  ...more
})
const menu = [
  { value: 0, name: "Disabled" },
  { value: 2, name: "60 Hz" }
]
const large = { type: "integer64", minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n } as const

/** What the kernel would be given, or what is said instead. */
const outcome = (info: ControlInfo, given: Given): unknown => Result.merge(valueFor(info, given))

describe("a value for a control", () => {
  it.each<[string, Partial<ControlInfo>, Given, unknown]>([
    ["an integer", {}, -10, -10n],
    ["an integer between two steps, which the driver rounds", { step: 4n }, 7, 7n],
    ["a boolean that is true", { type: "boolean", minimum: 0n, maximum: 1n }, true, 1n],
    ["a boolean that is false", { type: "boolean", minimum: 0n, maximum: 1n }, false, 0n],
    ["a boolean as it is read", { type: "boolean", minimum: 0n, maximum: 1n }, 1, 1n],
    ["an entry of a menu", { type: "menu", menu }, 2, 2n],
    ["an entry of an integer menu", { type: "integer_menu", menu }, 0, 0n],
    ["nothing for a button", { type: "button" }, undefined, 0n],
    ["anything for a button", { type: "button" }, "now", 0n],
    ["an integer64", large, -5, -5n],
    ["an integer64 in decimals", large, "-9223372036854775808", -(2n ** 63n)],
    ["bits of a bitmask", { type: "bitmask", minimum: 0n, maximum: 0x80000005n }, 0x80000001, 0x80000001n],
    ["a text", { type: "string", minimum: 0n, maximum: 4n }, "Tür", "Tür"],
    [
      "a text of as many bytes as a step allows",
      { type: "string", minimum: 2n, maximum: 8n, step: 3n },
      "abcde",
      "abcde"
    ]
  ])("may be %s", (_title, more, given, expected) => {
    assert.strictEqual(outcome(control(more), given), expected)
  })

  it.each<[string, Partial<ControlInfo>, Given, string]>([
    ["below the range", {}, -11, "a whole number from -10 to 10"],
    ["above the range", { step: 2n }, 11, "a whole number from -10 to 10, in steps of 2"],
    ["a text where a number is due", {}, "5", "a whole number from -10 to 10"],
    ["true where a number is due", {}, true, "a whole number from -10 to 10"],
    ["left out", {}, undefined, "required: a whole number from -10 to 10"],
    ["another number than a boolean has", { type: "boolean", minimum: 0n, maximum: 1n }, 2, "true or false"],
    ["a hole in a menu", { type: "menu", menu, maximum: 2n }, 1, "one of 0 (Disabled), 2 (60 Hz)"],
    ["no entry of an integer menu", { type: "integer_menu", menu }, 3, "one of 0 (Disabled), 2 (60 Hz)"],
    [
      "more than an integer64 holds",
      large,
      "9223372036854775808",
      "a whole number from -9223372036854775808 to 9223372036854775807"
    ],
    ["no decimals", { ...large, minimum: 0n, maximum: 9n }, "0x5", "a whole number from 0 to 9"],
    [
      "a bit that a bitmask lacks",
      { type: "bitmask", minimum: 0n, maximum: 5n },
      2,
      "a whole number with no bits but those of 5"
    ],
    [
      "below zero for a bitmask",
      { type: "bitmask", minimum: 0n, maximum: 0xffffffffn },
      -1,
      "a whole number with no bits but those of 4294967295"
    ],
    ["a number where a text is due", { type: "string", minimum: 0n, maximum: 4n }, 5, "a text of 0 to 4 bytes"],
    ["a text that is too long in bytes", { type: "string", minimum: 0n, maximum: 3n }, "Tür", "a text of 0 to 3 bytes"],
    ["a text that is too short", { type: "string", minimum: 2n, maximum: 3n }, "a", "a text of 2 to 3 bytes"],
    [
      "a text between two steps",
      { type: "string", minimum: 2n, maximum: 8n, step: 3n },
      "abc",
      "a text of 2 to 8 bytes, in steps of 3"
    ],
    ["a text with a zero in it", { type: "string", minimum: 0n, maximum: 4n }, "a\0b", "a text of 0 to 4 bytes"]
  ])("may not be %s", (_title, more, given, rule) => {
    assert.deepInclude(outcome(control(more), given), { _tag: "InvalidParams", param: "value", rule })
  })

  it("is refused where the control cannot be set at all, and the id is named", () => {
    assert.deepInclude(outcome(control({ flags: new Set(["readOnly", "inactive"]) }), 0), {
      _tag: "InvalidParams",
      param: "id"
    })
  })

  it("has to wait while the control is held", () => {
    assert.deepInclude(outcome(control({ flags: new Set(["grabbed"]) }), 0), {
      _tag: "InvalidState",
      state: "GRABBED",
      allowed_states: ["ACTIVE"]
    })
  })

  it("has to wait while another control governs this one, which is named where it is known", () => {
    const flags: ControlInfo["flags"] = new Set(["inactive"])
    assert.deepInclude(outcome(control({ flags, id: 0x9a0902 }), 0), {
      _tag: "InvalidState",
      state: "INACTIVE",
      allowed_states: ["ACTIVE"],
      suggestion: "switch Auto Exposure (id 10094849) to manual first"
    })
    assert.deepInclude(outcome(control({ flags }), 0), {
      suggestion: "switch the control that governs it to manual first"
    })
  })

  it("is taken for a control that changes by itself or cannot be read", () => {
    assert.strictEqual(outcome(control({ flags: new Set(["volatile", "writeOnly"]) }), 3), 3n)
  })
})

const bounds = fc
  .tuple(fc.maxSafeInteger(), fc.maxSafeInteger())
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)

describe("whatever a client sends", () => {
  it("the kernel gets a number within the range, or nothing", () => {
    const types = fc.constantFrom("integer", "integer64", "boolean")
    const given = fc.oneof(
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.string(),
      fc.bigInt().map(String),
      fc.constant(undefined)
    )
    fc.assert(
      fc.property(bounds, types, given, ([least, most], type, value) => {
        const [minimum, maximum] = type === "boolean" ? [0n, 1n] : [BigInt(least), BigInt(most)]
        const result = valueFor(control({ type, minimum, maximum }), value)
        if (Result.isFailure(result)) return assert.deepInclude(result.failure, { param: "value" })
        const number = result.success
        return assert.isTrue(typeof number === "bigint" && number >= minimum && number <= maximum)
      })
    )
  })

  it("every number within the range is taken as it is", () => {
    fc.assert(
      fc.property(bounds, fc.maxSafeInteger(), ([least, most], value) => {
        const inside = value >= least && value <= most
        const result = valueFor(control({ minimum: BigInt(least), maximum: BigInt(most) }), value)
        assert.deepStrictEqual(Result.getOrUndefined(result), inside ? BigInt(value) : undefined)
      })
    )
  })

  it("a bitmask gets bits that it has, and all combinations of these are taken", () => {
    const bits = fc.nat(0xffffffff)
    fc.assert(
      fc.property(bits, bits, (mask, value) => {
        const result = valueFor(control({ type: "bitmask", minimum: 0n, maximum: BigInt(mask) }), value)
        assert.strictEqual(Result.isSuccess(result), (value & ~mask) >>> 0 === 0)
        const meet = (value & mask) >>> 0
        assert.deepStrictEqual(
          valueFor(control({ type: "bitmask", maximum: BigInt(mask) }), meet),
          Result.succeed(BigInt(meet))
        )
      })
    )
  })

  it("a text that is taken has room for the zero at its end", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, most) => {
        const result = valueFor(control({ type: "string", minimum: 0n, maximum: BigInt(most) }), text)
        assert.strictEqual(Result.isSuccess(result), Buffer.byteLength(text) <= most && !text.includes("\0"))
      })
    )
  })
})
