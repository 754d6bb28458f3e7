import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { Bits } from "../../src/media/Bits.ts"

const reading = (bytes: Uint8Array) => {
  let at = 0
  return new Bits(() => bytes[at++])
}

/** Of digits 0 and 1, the last byte filled up with zeros. */
const bytesOf = (digits: string) =>
  Uint8Array.from(digits.match(/.{1,8}/g) ?? [], (byte) => Number.parseInt(byte.padEnd(8, "0"), 2))

/** A number and in how many bits it is written. */
const field = fc
  .integer({ min: 0, max: 32 })
  .chain((count) => fc.record({ count: fc.constant(count), value: fc.integer({ min: 0, max: 2 ** count - 1 }) }))
const digitsOf = ({ count, value }: { readonly count: number; readonly value: number }) =>
  count === 0 ? "" : value.toString(2).padStart(count, "0")

/** H.264, 9.1: as many zeros as there are digits behind the first one of `value` + 1. */
const golomb = (value: number) => {
  const digits = (value + 1).toString(2)
  return "0".repeat(digits.length - 1) + digits
}

describe("bits", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 40 }), (fields) => {
        const read = reading(bytesOf(fields.map(digitsOf).join("")))
        for (const { count, value } of fields) {
          if (count <= 16) assert.strictEqual(read.peek(count), value)
          assert.strictEqual(read.take(count), value)
        }
        assert.isFalse(read.isOver)
      })
    )
  })

  it("are over only when more were read than there are, and zeros from then on", () => {
    const read = reading(Uint8Array.of(0xff, 0xff))
    assert.strictEqual(read.take(15), 0x7fff)
    assert.strictEqual(read.peek(16), 0x8000)
    assert.strictEqual(read.take(1), 1)
    assert.isFalse(read.isOver)
    assert.strictEqual(read.take(1), 0)
    assert.isTrue(read.isOver)
    assert.strictEqual(read.take(32), 0)
    assert.isTrue(read.isOver)
  })

  it("hold Exp-Golomb codes", () => {
    const value = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 2 }))
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), (values) => {
        const read = reading(bytesOf(values.map(golomb).join("")))
        for (const expected of values) assert.strictEqual(read.unsigned(), expected)
      })
    )
    // table 9-3
    const read = reading(bytesOf([0, 1, 2, 3, 4].map(golomb).join("")))
    assert.deepEqual(
      [0, 1, 2, 3, 4].map(() => read.signed() + 0),
      [0, 1, -1, 2, -2]
    )
  })

  it("hold no Exp-Golomb code of more than 32 digits, nor one behind the end", () => {
    assert.throws(() => reading(bytesOf(`${"0".repeat(32)}1${"0".repeat(32)}`)).unsigned(), RangeError)
    assert.throws(() => reading(new Uint8Array()).unsigned(), RangeError)
  })
})
