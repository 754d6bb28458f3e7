import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readMp4Header } from "../../src/process/Mp4File.ts"

/** ftyp, then a moov with an mvhd of 6.68 s (ISO 14496-12, 8.2.2), and the beginning of an mdat. */
const closed = Buffer.concat([
  Buffer.from("000000106674797069736f6d00000200", "hex"),
  Buffer.from("000000746d6f6f760000006c6d766864", "hex"),
  Buffer.alloc(12),
  Buffer.from("000003e800001a18", "hex"),
  Buffer.alloc(80),
  Buffer.from("000010006d646174", "hex"),
  Buffer.alloc(100)
])

const header = async (bytes: Uint8Array) => {
  const folder = await mkdtemp(join(tmpdir(), "mp4-"))
  try {
    const file = join(folder, "a.mp4")
    await writeFile(file, bytes)
    return await readMp4Header(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe("an MP4 file", () => {
  it("tells its duration", async () => {
    assert.deepStrictEqual(await header(closed), { duration: 6.68, leads: true })
  })

  it("that is cut off tells nothing", async () => {
    for (const length of [0, 10, 16, 30, 60, 100]) assert.isUndefined(await header(closed.subarray(0, length)))
  })
})
