import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readMp4Header } from "../../src/process/Mp4Header.ts"

const box = (type: string, ...contents: ReadonlyArray<Uint8Array>) => {
  const body = Buffer.concat(contents)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, "latin1")
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

/** What is read of a file with these bytes. */
const header = async (...bytes: ReadonlyArray<Uint8Array>) => {
  const folder = await mkdtemp(join(tmpdir(), "mp4-"))
  try {
    const file = join(folder, "a.mp4")
    await writeFile(file, Buffer.concat(bytes))
    return await readMp4Header(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe("the header of an MP4 file", () => {
  it("tells the duration of a closed recording", async () => {
    assert.deepStrictEqual(await header(ftyp, box("moov", mvhd(1000, 6680)), box("moof"), media), {
      duration: 6.68,
      leads: true
    })
  })

  it("tells no duration while it is written, or when its writer was killed", async () => {
    assert.deepStrictEqual(await header(ftyp, box("moov", mvhd(1000, 0)), box("moof"), media), {
      duration: 0,
      leads: true
    })
  })

  it("is found behind other boxes, with 64-bit times", async () => {
    const moov = box("moov", box("udta", Buffer.alloc(40)), longMvhd(90_000, 324_000_000n))
    assert.deepStrictEqual(await header(ftyp, box("free"), moov, media), { duration: 3600, leads: true })
  })

  it("is known to come after the media", async () => {
    const moov = box("moov", mvhd(1000, 2000))
    assert.deepStrictEqual(await header(ftyp, media, moov), { duration: 2, leads: false })
    const size = Buffer.alloc(16)
    size.writeUInt32BE(1)
    size.write("mdat", 4, "latin1")
    size.writeBigUInt64BE(16n + 100n, 8)
    assert.deepStrictEqual(await header(ftyp, size, Buffer.alloc(100), moov), { duration: 2, leads: false })
  })

  it("is not taken from what is no MP4, or is cut off in it", async () => {
    assert.isUndefined(await header(Buffer.from("\xff\xd8\xff\xe0 a picture, and some more of it", "latin1")))
    assert.isUndefined(await header())
    assert.isUndefined(await header(ftyp, box("moov", mvhd(1000, 6680)).subarray(0, 60)))
    assert.isUndefined(await header(ftyp, Buffer.alloc(64)))
    assert.deepStrictEqual(await header(ftyp, box("moov", mvhd(0, 5)), media), { duration: 0, leads: true })
  })
})
