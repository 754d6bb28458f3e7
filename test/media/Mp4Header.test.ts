import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { type FileRange, mp4Header } from "../../src/media/Mp4Header.ts"

const box = (type: string, ...contents: ReadonlyArray<Uint8Array>) => {
  const body = Buffer.concat(contents)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, "latin1")
  return Buffer.concat([head, body])
}

/** A box with a 64-bit size (ISO 14496-12, 4.2). */
const longBox = (type: string, body: Uint8Array, size = BigInt(body.length + 16)) => {
  const head = Buffer.alloc(16)
  head.writeUInt32BE(1)
  head.write(type, 4, "latin1")
  head.writeBigUInt64BE(size, 8)
  return Buffer.concat([head, body])
}

/** mvhd, ISO 14496-12, 8.2.2; the rest of it (rate, volume, matrix) is 80 bytes. */
const mvhd = (scale: number, duration: number) => {
  const body = Buffer.alloc(20 + 80)
  body.writeUInt32BE(scale, 12)
  body.writeUInt32BE(duration, 16)
  return box("mvhd", body)
}
const longMvhd = (scale: number, duration: bigint) => {
  const body = Buffer.alloc(32 + 80)
  body.writeUInt8(1, 0)
  body.writeUInt32BE(scale, 20)
  body.writeBigUInt64BE(duration, 24)
  return box("mvhd", body)
}
const ftyp = box("ftyp", Buffer.from("isom\0\0\0\0"))
const media = box("mdat", Buffer.alloc(5000))

/** What is read of a file with these bytes, and what is asked of it on the way. */
const read = (file: Uint8Array) => {
  const reading = mp4Header()
  const asked: Array<FileRange> = []
  let step = reading.next()
  while (step.done !== true) {
    const { length, position } = step.value
    asked.push(step.value)
    step = reading.next(file.subarray(position, position + length))
  }
  return { header: step.value, asked }
}
const header = (...bytes: ReadonlyArray<Uint8Array>) => read(Buffer.concat(bytes)).header

describe("the header of an MP4 file", () => {
  it("tells the duration of a closed recording", () => {
    assert.deepStrictEqual(header(ftyp, box("moov", mvhd(1000, 6680)), box("moof"), media), {
      duration: 6.68,
      leads: true
    })
  })

  it("tells no duration while it is written, or when its writer was killed", () => {
    assert.deepStrictEqual(header(ftyp, box("moov", mvhd(1000, 0)), box("moof"), media), {
      duration: 0,
      leads: true
    })
  })

  it("is found behind other boxes, with 64-bit times", () => {
    const moov = box("moov", box("udta", Buffer.alloc(40)), longMvhd(90_000, 324_000_000n))
    assert.deepStrictEqual(header(ftyp, box("free"), moov, media), { duration: 3600, leads: true })
  })

  it("is found in a box with a 64-bit size", () => {
    assert.deepStrictEqual(header(ftyp, longBox("moov", mvhd(1000, 6680))), { duration: 6.68, leads: true })
  })

  it("is known to come after the media", () => {
    const moov = box("moov", mvhd(1000, 2000))
    assert.deepStrictEqual(header(ftyp, media, moov), { duration: 2, leads: false })
    assert.deepStrictEqual(header(ftyp, longBox("mdat", Buffer.alloc(100)), moov), { duration: 2, leads: false })
  })

  it("is not taken from what is no MP4, or is cut off in it", () => {
    assert.isUndefined(header(Buffer.from("\xff\xd8\xff\xe0 a picture, and some more of it", "latin1")))
    assert.isUndefined(header())
    assert.isUndefined(header(ftyp, box("moov", mvhd(1000, 6680)).subarray(0, 60)))
    assert.isUndefined(header(ftyp, Buffer.alloc(64)))
    assert.deepStrictEqual(header(ftyp, box("moov", mvhd(0, 5)), media), { duration: 0, leads: true })
  })

  it("is read from little of any file, and of one that is damaged nothing beyond reason is asked", () => {
    const type = fc.constantFrom("ftyp", "free", "mdat", "moov", "mvhd")
    const body = fc.uint8Array({ maxLength: 60 })
    const size = fc.oneof(fc.bigInt({ min: 0n, max: 200n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
    const piece = fc.oneof(
      body,
      fc.tuple(type, body).map(([name, inside]) => box(name, inside)),
      fc.tuple(type, body, size).map(([name, inside, length]) => longBox(name, inside, length))
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { asked, header: found } = read(Buffer.concat([ftyp, ...pieces]))
        assert.isAtMost(asked.length, 17)
        for (const { length, position } of asked) {
          assert.isTrue(Number.isSafeInteger(position) && length <= 4 << 20)
        }
        assert.isTrue(found === undefined || (Number.isFinite(found.duration) && found.duration >= 0))
      }),
      { numRuns: 1000 }
    )
  })
})
