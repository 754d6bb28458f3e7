import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Disk } from "../../src/ground/Disk.ts"
import { readMp4Header } from "../../src/ground/Mp4File.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"

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

const header = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const { outside } = yield* MemoryDisk
  outside.write("/a.mp4", bytes)
  return yield* readMp4Header(yield* Disk, "/a.mp4")
}, Effect.provide(MemoryDisk.layer))

describe("an MP4 file", () => {
  it.effect("tells its duration", () =>
    Effect.map(header(closed), (found) => assert.deepStrictEqual(found, { duration: 6.68, leads: true }))
  )

  it.effect("that is cut off tells nothing", () =>
    Effect.forEach([0, 10, 16, 30, 60, 100], (length) =>
      Effect.map(header(closed.subarray(0, length)), (found) => assert.isUndefined(found))
    )
  )
})
