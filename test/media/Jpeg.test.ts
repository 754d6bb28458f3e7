import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { jpegSize, splitter, withTables } from "../../src/media/Jpeg.ts"
import { meanLuma } from "../../src/media/Luma.ts"
import { filled } from "./FilledJpeg.ts"

/** Four pictures of 64 × 48 as FFmpeg's image2pipe writes them. */
const stream = readFileSync(join(import.meta.dirname, "../fixtures/four-pictures.mjpeg"))
const pictures = splitter().push(stream)

/** An application segment (T.81 B.2.4.6) with these bytes in it. */
const segment = (content: Uint8Array): Buffer => {
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(content.length + 2, 2)
  return Buffer.concat([head, content])
}
const withSegment = (jpeg: Buffer, content: Uint8Array): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), segment(content), jpeg.subarray(2)])

const cut = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const places = [0, ...cuts.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end))
}
const split = (chunks: ReadonlyArray<Buffer>) => {
  const { push } = splitter()
  return chunks.flatMap((chunk) => push(chunk))
}

describe("the splitter of pictures", () => {
  it("finds each whole picture", () => {
    assert.lengthOf(pictures, 4)
    assert.deepEqual(Buffer.concat([...pictures]), stream)
    for (const picture of pictures) assert.deepEqual(jpegSize(picture), { width: 64, height: 48 })
  })

  it("finds the same pictures however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
        assert.deepEqual(split(cut(stream, cuts)), pictures)
      })
    )
    assert.deepEqual(split(Array.from(stream, (byte) => Buffer.from([byte]))), pictures)
  })

  it("takes a picture inside a picture (a thumbnail) for no picture of its own", () => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = pictures
    const nested = withSegment(first, second)
    fc.assert(
      fc.property(fc.array(fc.nat(nested.length * 2), { maxLength: 20 }), (cuts) => {
        assert.deepEqual(split(cut(Buffer.concat([nested, second]), cuts)), [nested, second])
      })
    )
    assert.deepEqual(jpegSize(nested), { width: 64, height: 48 })
  })

  it("finds pictures with fill bytes before their markers, however the bytes are cut", () => {
    const padded = pictures.map((picture, i) => filled(picture, i + 1))
    const bytes = Buffer.concat(padded)
    assert.deepEqual(split([bytes]), padded)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (cuts) => {
        assert.deepEqual(split(cut(bytes, cuts)), padded)
      })
    )
  })

  it("is not led astray by an end before any scan, or by markers that have no length", () => {
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = pictures
    const tablesOnly = Buffer.from([0xff, 0xd8, 0xff, 0xd9])
    assert.deepEqual(split([tablesOnly, first]).at(-1), first)
    // TEM and RST0
    const odd = Buffer.concat([first.subarray(0, 2), Buffer.from([0xff, 0x01, 0xff, 0xd0]), first.subarray(2)])
    assert.deepEqual(split([odd, second]), [odd, second])
    assert.deepEqual(jpegSize(odd), { width: 64, height: 48 })
  })

  it("gives a picture only when it is whole, and at once then", () => {
    const [first = Buffer.alloc(0)] = pictures
    const { push } = splitter()
    assert.lengthOf(push(first.subarray(0, -1)), 0)
    assert.lengthOf(push(first.subarray(-1)), 1)
  })

  it("leaves out what is no picture before the first one", () => {
    const [first = Buffer.alloc(0)] = pictures
    assert.deepEqual(split([Buffer.from("noise"), first]), [first])
    assert.deepEqual(split([Buffer.alloc(100_000, 1), first]), [first])
    assert.deepEqual(split([Buffer.alloc(100_000, 0xff), first.subarray(1)]), [first])
  })

  it("gives up on bytes that never become a picture instead of keeping them all", () => {
    const { push } = splitter()
    const filler = Buffer.alloc(1 << 20)
    assert.throws(() => {
      push(Buffer.from([0xff, 0xd8]))
      for (let i = 0; i < 40; i++) push(filler)
    }, RangeError)
    const fresh = splitter()
    const ends = Buffer.alloc(1 << 20, 0xd9)
    assert.throws(() => {
      fresh.push(Buffer.from([0xff, 0xd8]))
      for (let i = 0; i < 40; i++) fresh.push(ends)
    }, RangeError)
  })

  it("survives any bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
        const withMarkers = chunks.map((chunk) => Buffer.from([0xff, 0xd8, ...chunk, 0xff, 0xd9]))
        for (const picture of split(withMarkers)) jpegSize(picture)
      }),
      { numRuns: 1000 }
    )
  })
})

describe("a picture's size", () => {
  it("is found behind fill bytes", () => {
    for (const count of [1, 2, 3, 100]) {
      for (const picture of pictures) assert.deepEqual(jpegSize(filled(picture, count)), { width: 64, height: 48 })
    }
  })

  it("is unknown for what has no frame header", () => {
    assert.isUndefined(jpegSize(Buffer.from([0xff, 0xd8, 0xff, 0xd9])))
    assert.isUndefined(jpegSize(Buffer.alloc(0)))
  })
})

describe("a picture without Huffman tables, as cameras send them", () => {
  const dark = readFileSync(join(import.meta.dirname, "../fixtures/dark.jpg"))
  const at = dark.indexOf(Buffer.from([0xff, 0xc4]))
  const length = dark.readUInt16BE(at + 2) + 2
  const bare = Buffer.concat([dark.subarray(0, at), dark.subarray(at + length)])

  it("gets the standard ones, and stays as it is otherwise", () => {
    const whole = withTables(bare)
    const scan = bare.indexOf(Buffer.from([0xff, 0xda]))
    assert.deepEqual(whole.subarray(0, scan), bare.subarray(0, scan))
    assert.deepEqual(whole.subarray(scan, scan + length), dark.subarray(at, at + length))
    assert.deepEqual(whole.subarray(scan + length), bare.subarray(scan))
    assert.strictEqual(withTables(whole), whole)
  })

  it("gets them with fill bytes, too", () => {
    for (const count of [1, 2, 3]) {
      const padded = filled(bare, count)
      const whole = withTables(padded)
      const tables = whole.indexOf(dark.subarray(at, at + length))
      assert.isAbove(tables, 0)
      assert.deepEqual(Buffer.concat([whole.subarray(0, tables), whole.subarray(tables + length)]), padded)
      assert.strictEqual(meanLuma(whole), 5)
      assert.strictEqual(withTables(whole), whole)
    }
  })

  it("is the only one that is touched", () => {
    for (const picture of [
      filled(dark, 1),
      ...pictures,
      dark,
      Buffer.alloc(0),
      Buffer.from([0xff, 0xd8, 0xff, 0xd9])
    ]) {
      assert.strictEqual(withTables(picture), picture)
    }
  })
})
