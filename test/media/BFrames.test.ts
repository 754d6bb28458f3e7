import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { beginsBFrame } from "../../src/media/BFrames.ts"

const rtp = (payload: ReadonlyArray<number> | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0x80, 0xe0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9]), Buffer.from(payload)])

const isB = (payload: ReadonlyArray<number> | Uint8Array): boolean => {
  const packet = rtp(payload)
  return beginsBFrame(packet, 0, packet.length)
}

/** `first_mb_in_slice` and `slice_type` as Exp-Golomb codes (H.264, 9.1), in bytes. */
const sliceHead = (firstBlock: number, sliceType: number): ReadonlyArray<number> => {
  const code = (value: number) => (value + 1).toString(2).padStart(2 * (value + 1).toString(2).length - 1, "0")
  const bits = `${code(firstBlock)}${code(sliceType)}`.padEnd(32, "0")
  return [0, 8, 16, 24].map((at) => Number.parseInt(bits.slice(at, at + 8), 2))
}

describe("a packet of H.264", () => {
  it("begins a B-frame where its first slice is of that type, be it alone, a fragment, or one of several", () => {
    for (let type = 0; type < 10; type++) {
      const slice = sliceHead(0, type)
      const wanted = type === 1 || type === 6
      assert.strictEqual(isB([0x01, ...slice]), wanted, `${type}`)
      assert.strictEqual(isB([0x1c, 0x81, ...slice]), wanted, `${type}, a fragment`)
      assert.strictEqual(isB([0x18, 0, 2, 0x09, 0xf0, 0, 5, 0x01, ...slice]), wanted, `${type}, of several`)
    }
  })

  it("begins none in the middle of a picture or of a fragment, nor in what is no slice", () => {
    assert.isFalse(isB([0x01, ...sliceHead(7, 1)]))
    assert.isFalse(isB([0x1c, 0x01, ...sliceHead(0, 1)]))
    for (const type of [5, 6, 7, 8, 9]) assert.isFalse(isB([type, ...sliceHead(0, 1)]), `${type}`)
  })

  it("may be anything", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.isBoolean(isB(bytes))
        assert.isBoolean(beginsBFrame(Buffer.from(bytes), 0, bytes.length))
      })
    )
  })
})
