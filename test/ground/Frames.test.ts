import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { closeFrame, FrameReader, pingFrame, pongFrame, type Signal, textFrame } from "../../src/ground/Frames.ts"
import { bytesHeld } from "../support/Memory.ts"
import { frame } from "../support/RawClient.ts"

const limits = { bytes: 1 << 20, fragments: 1000 }

/** All that a reader makes of these pieces, until it breaks. */
const read = (pieces: ReadonlyArray<Uint8Array>, allowed = limits): ReadonlyArray<string | Signal> => {
  const reader = new FrameReader(allowed)
  const found: Array<string | Signal> = []
  for (const piece of pieces) {
    reader.push(Buffer.from(piece))
    for (let came = reader.next(); came !== undefined; came = reader.next()) {
      found.push(came)
      if (typeof came !== "string" && came._tag === "Broken") return found
    }
  }
  return found
}

/** the code that it breaks with */
const codeOf = (...frames: ReadonlyArray<Uint8Array>): number | undefined => {
  const last = read([Buffer.concat(frames)]).at(-1)
  return typeof last === "object" && last._tag === "Broken" ? last.code : undefined
}

const cut = (bytes: Buffer, sizes: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const pieces: Array<Buffer> = []
  let at = 0
  for (let n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

const mask = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }).filter((one) => one.isWellFormed()),
  fc.constantFrom("", "ü".repeat(63), "x".repeat(126), "🎥".repeat(200), "x".repeat(65_536))
)
const signal = fc.record({ opcode: fc.constantFrom(9, 10), payload: fc.uint8Array({ maxLength: 125 }), mask })
/** a message in fragments, with signals between them */
const message = fc.record({ text, cuts: fc.array(fc.nat(70_000), { maxLength: 4 }), mask, between: fc.array(signal) })

describe("frames", () => {
  it("give what was sent, however it was fragmented, masked and cut on its way", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
        (all, sizes) => {
          const expected: Array<string | Signal> = []
          const frames: Array<Buffer> = []
          for (const { between, cuts, mask, text } of all) {
            const bytes = Buffer.from(text)
            const ends = [...cuts.map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b), bytes.length]
            let start = 0
            for (const [n, end] of ends.entries()) {
              const isLast = n === ends.length - 1
              frames.push(frame(bytes.subarray(start, end), { opcode: n === 0 ? 1 : 0, isLast, mask }))
              start = end
              if (isLast) expected.push(text)
              for (const one of between) {
                frames.push(frame(one.payload, one))
                expected.push(one.opcode === 9 ? { _tag: "Ping", payload: Buffer.from(one.payload) } : { _tag: "Pong" })
              }
            }
          }
          assert.deepStrictEqual(read(cut(Buffer.concat(frames), sizes)), expected)
        }
      ),
      { numRuns: 300 }
    )
  })

  it("of nonsense do no harm: it ends with a code, or waits for more", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
        for (const came of read(pieces)) {
          if (typeof came === "object" && came._tag === "Broken")
            assert.include([1002, 1003, 1007, 1008, 1009], came.code)
        }
      }),
      { numRuns: 2000 }
    )
  })

  it("that break a rule of the protocol end with 1002 (RFC 6455, section 5)", () => {
    const unmasked = Buffer.from([0x81, 0x01, 0x61])
    assert.strictEqual(codeOf(unmasked), 1002)
    for (const bit of [0x40, 0x20, 0x10]) {
      const extended = frame("a")
      extended[0] = (extended[0] ?? 0) | bit
      assert.strictEqual(codeOf(extended), 1002)
    }
    for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) assert.strictEqual(codeOf(frame("", { opcode })), 1002)
    assert.strictEqual(codeOf(frame("a", { opcode: 0 })), 1002)
    assert.strictEqual(codeOf(frame("a", { isLast: false }), frame("b")), 1002)
    assert.strictEqual(codeOf(frame("a", { opcode: 9, isLast: false })), 1002)
    assert.strictEqual(codeOf(frame("x".repeat(126), { opcode: 9 })), 1002)
    assert.strictEqual(codeOf(frame("x", { opcode: 8 })), 1002)
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000]) {
      assert.strictEqual(codeOf(frame(Buffer.from([code >> 8, code & 0xff]), { opcode: 8 })), 1002, String(code))
    }
  })

  it("that are binary end with 1003, text that is no UTF-8 with 1007", () => {
    assert.strictEqual(codeOf(frame("a", { opcode: 2 })), 1003)
    const wrong = [[0xc3, 0x28], [0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0xaf], [0xe2, 0x82]]
    for (const bytes of wrong) {
      assert.strictEqual(codeOf(frame(Uint8Array.from(bytes))), 1007)
      assert.strictEqual(codeOf(frame("", { isLast: false }), frame(Uint8Array.from(bytes), { opcode: 0 })), 1007)
    }
    assert.strictEqual(codeOf(frame(Uint8Array.of(3, 232, 0xff), { opcode: 8 })), 1007)
  })

  it("longer than allowed end with 1009 before they are there", () => {
    const small = { bytes: 10, fragments: 3 }
    const codes = (...frames: ReadonlyArray<Buffer>) => read([Buffer.concat(frames)], small)
    assert.deepStrictEqual(codes(frame("x".repeat(10))), ["x".repeat(10)])
    const isBroken = (found: ReadonlyArray<string | Signal>, code: number) =>
      assert.deepInclude(found.at(-1), { _tag: "Broken", code })
    isBroken(codes(frame("x".repeat(11)).subarray(0, 6)), 1009)
    isBroken(codes(frame("x".repeat(70_000)).subarray(0, 14)), 1009)
    isBroken(codes(frame("x".repeat(6), { isLast: false }), frame("x".repeat(5), { opcode: 0 })), 1009)
    isBroken(codes(Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), 1009)
    const part = frame("x", { opcode: 0, isLast: false })
    isBroken(codes(frame("x", { isLast: false }), part, part, part), 1008)
  })

  it("hold no more than what they carry, however small the pieces are", () => {
    const readers = Array.from({ length: 20 }, () => new FrameReader({ bytes: 1 << 20, fragments: 20_000 }))
    const begin = frame("x", { isLast: false })
    const more = frame("x", { opcode: 0, isLast: false })
    const before = bytesHeld()
    for (const reader of readers) {
      for (let n = 0; n < 16_000; n++) {
        // as sockets give it: each piece in memory of its own
        reader.push(Buffer.from(new Uint8Array(n === 0 ? begin : more).buffer))
        assert.isUndefined(reader.next())
      }
    }
    // 16 kB of payload each; kept as they came the pieces would be 2 MB
    assert.isBelow((bytesHeld() - before) / readers.length, 64 << 10)
    assert.isUndefined(readers[0]?.next())
  })

  it("of ours are as short as they can be", () => {
    for (const [length, head] of [
      [0, 2],
      [125, 2],
      [126, 4],
      [65_535, 4],
      [65_536, 10]
    ] as const) {
      assert.strictEqual(textFrame("x".repeat(length)).length, head + length)
    }
    assert.deepStrictEqual([...textFrame("ü")], [0x81, 2, 0xc3, 0xbc])
    assert.deepStrictEqual([...pingFrame], [0x89, 0])
    assert.deepStrictEqual([...pongFrame(Uint8Array.of(1, 2))], [0x8a, 2, 1, 2])
    assert.deepStrictEqual([...closeFrame(1000, "a")], [0x88, 3, 3, 232, 0x61])
    assert.deepStrictEqual([...closeFrame(undefined, "")], [0x88, 0])
  })
})
