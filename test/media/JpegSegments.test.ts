import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { jpegSize, splitter, withTables } from "../../src/media/Jpeg.ts"
import { markers, segments } from "../../src/media/JpegSegments.ts"
import { meanLuma } from "../../src/media/Luma.ts"
import { markCamera, pictureFacts } from "../../src/media/Picture.ts"

const soi = Buffer.from([0xff, 0xd8])

/** TEM, RST0 to RST7 and SOI (T.81, table B.1: marked with an asterisk); EOI ends a picture. */
const alone = [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]
const withLength = Array.from({ length: 254 }, (_, i) => i + 1).filter(
  (marker) => ![...alone, markers.eoi, markers.sos].includes(marker)
)

interface Written {
  readonly marker: number
  readonly fill: number
  /** undefined: the marker stands alone */
  readonly content: Uint8Array | undefined
}

const fill = fc.nat(5)
const content = fc.uint8Array({ maxLength: 300 })
const written: fc.Arbitrary<Written> = fc.oneof(
  fc.record({ marker: fc.constantFrom(...withLength), fill, content }),
  fc.record({ marker: fc.constantFrom(...alone), fill, content: fc.constant(undefined) })
)

const bytesOf = ({ content: inside, fill: before, marker }: Written): Buffer => {
  const length = inside === undefined ? [] : [(inside.length + 2) >> 8, (inside.length + 2) & 0xff]
  return Buffer.from([...Array.from({ length: before }, () => 0xff), 0xff, marker, ...length, ...(inside ?? [])])
}
const jpegOf = (parts: ReadonlyArray<Written>): Buffer => Buffer.concat([soi, ...parts.map(bytesOf)])

/** What the walk tells, in the same words; how many fill bytes there are shows in where segments start. */
const read = (jpeg: Buffer): ReadonlyArray<Written> => {
  let last = soi.length
  return [...segments(jpeg)].map(({ content: from, end, marker, start }) => {
    const segment = { marker, fill: start - last, content: end - start === 2 ? undefined : jpeg.subarray(from, end) }
    last = end
    return segment
  })
}
const plain = (parts: ReadonlyArray<Written>) =>
  parts.map(({ content: inside, ...part }) => ({ ...part, content: inside && Buffer.from(inside).toString("hex") }))

describe("the segments of a JPEG", () => {
  it("are read back as they were written, with any number of fill bytes", () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 12 }), (parts) => {
        assert.deepEqual(plain(read(jpegOf(parts))), plain(parts))
      }),
      { numRuns: 500 }
    )
  })

  it("are given up to the first scan's header or the picture's end, whatever comes behind", () => {
    const last = fc.oneof(
      fc.record({ marker: fc.constant(markers.sos), fill, content }),
      fc.record({ marker: fc.constant(markers.eoi), fill, content: fc.constant(undefined) })
    )
    fc.assert(
      fc.property(fc.array(written, { maxLength: 5 }), last, content, (parts, end, behind) => {
        const jpeg = Buffer.concat([jpegOf([...parts, end]), behind])
        assert.deepEqual(plain(read(jpeg)), plain([...parts, end]))
      })
    )
  })

  it("are whole: of a picture that is cut, only those before the cut are given", () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 8 }), fc.nat(), (parts, at) => {
        const jpeg = jpegOf(parts)
        const length = at % (jpeg.length + 1)
        const whole = parts.filter((_, i) => jpegOf(parts.slice(0, i + 1)).length <= length)
        assert.deepEqual(plain(read(jpeg.subarray(0, length))), plain(whole))
      }),
      { numRuns: 500 }
    )
  })

  it("end where a length is too short to count itself, or something else than a marker stands", () => {
    const comment: Written = { marker: markers.com, fill: 0, content: Uint8Array.of(1, 2, 3) }
    const good = jpegOf([comment])
    for (const broken of ["fffe0000", "fffe0001", "ff00", "00fffe0002", "ff", "ffff", "fffe", "fffe00"]) {
      const jpeg = Buffer.concat([good, Buffer.from(broken, "hex")])
      assert.deepEqual(plain(read(jpeg)), plain([comment]), broken)
    }
  })

  it("are none in what is no JPEG", () => {
    for (const bytes of ["", "ff", "ffd8", "ffd9fffe0002", "89504e470d0a1a0a"]) {
      assert.lengthOf([...segments(Buffer.from(bytes, "hex"))], 0)
    }
  })
})

describe("bytes that may be anything", () => {
  /** Bytes that mean something, more often than chance has them. */
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0xff, 0xd8, 0xd9, 0xda, 0xc0, 0xc4, 0xdb, 0xdd, 0xe0, 0, 1, 2, 17))
  const noise = fc.array(byte, { maxLength: 400 }).map((bytes) => Buffer.from([0xff, 0xd8, 0xff, ...bytes]))

  it("are walked to an end, in order and within bounds", () => {
    fc.assert(
      fc.property(noise, (bytes) => {
        let last = 2
        for (const { content: from, end, start } of segments(bytes)) {
          assert.isTrue(last <= start && start < from && from <= end && end <= bytes.length)
          last = end
        }
      }),
      { numRuns: 3000 }
    )
  })

  it("harm none of those who read pictures", () => {
    fc.assert(
      fc.property(noise, (bytes) => {
        jpegSize(bytes)
        meanLuma(bytes)
        pictureFacts(bytes)
        withTables(bytes)
        splitter().push(bytes)
        assert.isAtLeast(markCamera(bytes, "camera1").length, bytes.length)
      }),
      { numRuns: 1000 }
    )
  })
})
