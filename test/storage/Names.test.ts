import { assert, describe, it } from "@effect/vitest"
import {
  contentTypeOf,
  filePath,
  fileName,
  isFileName,
  parseFileName,
  snapshotFormatOf
} from "../../src/storage/Names.ts"

const at = Date.UTC(2026, 0, 2, 3, 4, 5)

describe("file names", () => {
  it("tell camera and start in UTC, to the microsecond", () => {
    assert.strictEqual(fileName("camera12", at, "jpg"), "camera12_2026-01-02_03-04-05_000000.jpg")
    assert.strictEqual(fileName("camera0", at + 678.901, "mp4"), "camera0_2026-01-02_03-04-05_678901.mp4")
  })

  it("can be read back", () => {
    for (const ms of [at, at + 1, at + 999, at + 0.5]) {
      assert.deepStrictEqual(parseFileName(fileName("camera7", ms, "mp4")), {
        device: "camera7",
        startedAt: ms,
        extension: "mp4"
      })
    }
  })

  it("are read without a fraction too", () => {
    assert.deepStrictEqual(parseFileName("camera0_2026-01-02_03-04-05.TS"), {
      device: "camera0",
      startedAt: at,
      extension: "ts"
    })
  })

  it("tell nothing when they have another form", () => {
    const others = ["door.jpg", "camera_2026-01-02_03-04-05.jpg", "camera0_2026-13-41_03-04-05.jpg", "camera0.jpg"]
    for (const name of [...others, "xcamera0_2026-01-02_03-04-05.jpg", "camera0_2026-01-02_03-04-05_12.jpg", ""]) {
      assert.isUndefined(parseFileName(name), name)
    }
  })

  it("are never paths, options, hidden or endless", () => {
    const bad = ["", ".", "..", "../a", "a/b", "/a", "-rf", ".a", "a\0", "a\n", "a b", "ä.jpg", "a\\b", "x".repeat(129)]
    for (const name of bad) assert.isFalse(isFileName(name), JSON.stringify(name))
    for (const name of ["a", "door.jpg", "a..b", "x".repeat(128)]) assert.isTrue(isFileName(name), name)
  })

  it("tell the format by their extension, whatever its case", () => {
    assert.strictEqual(snapshotFormatOf("a.JPEG"), "jpg")
    assert.strictEqual(snapshotFormatOf("a.b.png"), "png")
    assert.isUndefined(snapshotFormatOf("a.mp4"))
    assert.isUndefined(snapshotFormatOf("png"))
    assert.strictEqual(contentTypeOf("recording", "a.ts"), "video/mp2t")
    assert.isUndefined(contentTypeOf("snapshot", "a.mp4"))
    assert.strictEqual(filePath("recording", "a.mp4"), "/files/recordings/a.mp4")
  })
})
