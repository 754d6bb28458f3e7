import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { meanLuma } from "../../src/media/Luma.ts"
import { filled } from "./FilledJpeg.ts"

/** 64 × 48, all of luminance 5, with the standard Huffman tables. */
const dark = readFileSync(join(import.meta.dirname, "../fixtures/dark.jpg"))

/** 16 × 8, gray: blocks of luminance 132 and 136 with this marker between them, by hand after T.81, annexes B and F. */
const restarting = (...marker: ReadonlyArray<number>) =>
  Buffer.concat([
    Buffer.from("ffd8ffdb00430008", "hex"),
    Buffer.alloc(63, 1),
    Buffer.from("ffc0000b080008001001011100ffdd00040001ffda0008010100003f00", "hex"),
    Buffer.from([0x92, 0xbf, ...marker, 0xb1, 0x5f, 0xff, 0xd9])
  ])

const withByte = (jpeg: Buffer, at: number, byte: number): Buffer => {
  const changed = Buffer.from(jpeg)
  changed[at] = byte
  return changed
}

describe("the brightness of a JPEG", () => {
  it("is the mean of its luminance", () => {
    assert.strictEqual(meanLuma(dark), 5)
  })

  it("is counted only as far as it is asked for", () => {
    assert.strictEqual(meanLuma(dark, 3), 3)
    assert.strictEqual(meanLuma(dark, 24), 5)
  })

  it("is read behind fill bytes", () => {
    for (const count of [1, 2, 3]) assert.strictEqual(meanLuma(filled(dark, count)), 5)
  })

  it("is read across restart markers, with fill bytes before them or none", () => {
    assert.strictEqual(meanLuma(restarting(0xff, 0xd0)), 134)
    assert.strictEqual(meanLuma(restarting(0xff, 0xff, 0xff, 0xd0)), 134)
    assert.isUndefined(meanLuma(restarting(0xff, 0xd9)))
    assert.isUndefined(meanLuma(restarting()))
  })

  it("is unknown for what is cut short, progressive, or no JPEG", () => {
    const frame = dark.indexOf(Buffer.from([0xff, 0xc0]))
    assert.isUndefined(meanLuma(withByte(dark, frame + 1, 0xc2)))
    assert.isUndefined(meanLuma(dark.subarray(0, -20)))
    assert.isUndefined(meanLuma(dark.subarray(0, 100)))
    assert.isUndefined(meanLuma(Buffer.from("GIF89a and more")))
    assert.isUndefined(meanLuma(Buffer.alloc(0)))
  })

  it("is a number or unknown for any damage, and comes to an end", () => {
    const damage = fc.array(fc.record({ at: fc.nat(dark.length - 1), byte: fc.nat(255) }), { maxLength: 8 })
    fc.assert(
      fc.property(damage, fc.nat(dark.length), (changes, end) => {
        const damaged = Buffer.from(dark)
        for (const { at, byte } of changes) damaged[at] = byte
        const mean = meanLuma(damaged.subarray(0, end))
        assert.isTrue(mean === undefined || Number.isFinite(mean))
      }),
      { numRuns: 1000 }
    )
  })
})
