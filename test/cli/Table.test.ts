import { assert, describe, it } from "@effect/vitest"
import { sizeText, table } from "../../src/cli/Table.ts"

describe("a table", () => {
  it("has columns as wide as what is in them, and no line that is wider than the terminal", () => {
    const rows = [
      ["camera0", "A long name of a camera"],
      ["camera11", "Short"]
    ]
    assert.strictEqual(table(["CAMERA", "NAME"], rows, 20), "CAMERA    NAME\ncamera0   A long na…\ncamera11  Short\n")
  })

  it("sends nothing to a terminal that it would obey", () => {
    assert.strictEqual(table(["NAME"], [["a\u001b[2Jb"]]), "NAME\na?[2Jb\n")
  })

  it("tells sizes in the largest unit that leaves a number above 1", () => {
    assert.deepStrictEqual([0, 999, 1000, 1_449_000, 2e12].map(sizeText), ["0 B", "999 B", "1 kB", "1.4 MB", "2 TB"])
  })
})
