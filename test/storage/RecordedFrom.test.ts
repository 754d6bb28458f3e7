import { assert, describe, it } from "@effect/vitest"
import { DatabaseSync } from "node:sqlite"
import { renewIndex } from "../../src/storage/IndexFile.ts"
import { recordedFrom } from "../../src/storage/RecordedFrom.ts"
import { indexed } from "./Workbench.ts"

const named = 1_000_000

describe("when a recording began", () => {
  it("is as long before it was written to last as it lasts, where its name is later: a first picture came late", () => {
    assert.strictEqual(recordedFrom(named, named + 9700, 10), named - 300)
  })

  it("is what its name says where it was written to later: by who copied it, or by a slow disk", () => {
    assert.strictEqual(recordedFrom(named, named + 10_020, 10), named)
    assert.strictEqual(recordedFrom(named, named + 86_400_000, 10), named)
  })

  it("is what its name says while nobody knows how long it lasts, and where the two are too far apart to be one clock's", () => {
    assert.strictEqual(recordedFrom(named, named + 100, 0), named)
    assert.strictEqual(recordedFrom(named, 0, 10), named)
    assert.strictEqual(recordedFrom(named, named + 10_000, 20), named)
  })

  it("is put right in an index that is made anew, once somebody has looked into the file, and not moved again", () => {
    const index = renewIndex(
      {
        open: () => new DatabaseSync(":memory:"),
        openInMemory: () => new DatabaseSync(":memory:"),
        remove: () => undefined,
        copy: () => Promise.resolve(),
        keep: () => undefined,
        putBack: () => false,
        bootId: () => "boot"
      },
      "index.sqlite"
    )
    const file = indexed({ filename: "a.mp4", created: named, modified: named + 9700, duration: 0 })
    index.addNew([{ file, described: false }])
    for (const _ of ["once", "again"]) {
      index.describe("recording", "a.mp4", { duration: 10, codec: "h264", width: 640, height: 480 })
      assert.strictEqual(index.get("recording", "a.mp4")?.created, named - 300)
    }
    index.close()
  })
})
