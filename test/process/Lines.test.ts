import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { lineSplitter, tail } from "../../src/process/Lines.ts"

const split = (maxBytes: number, chunks: ReadonlyArray<string>) => {
  const lines: Array<string> = []
  const splitter = lineSplitter(maxBytes, (line) => lines.push(line))
  for (const chunk of chunks) splitter.push(Buffer.from(chunk))
  splitter.flush()
  return lines
}

describe("Lines", () => {
  it("puts lines together however the bytes arrive", () => {
    assert.deepStrictEqual(split(100, ["on", "e\ntw", "o\r\n", "\nthr", "ee"]), ["one", "two", "three"])
  })

  it.effect.prop(
    "gives the same lines for every way to cut the bytes",
    [Schema.Array(Schema.Literals(["a", "é", "\n", "bc"])), Schema.Int],
    ([parts, seed]) =>
      Effect.sync(() => {
        const text = parts.join("")
        const bytes = Buffer.from(text)
        const at = bytes.length === 0 ? 0 : Math.abs(seed) % bytes.length
        const lines: Array<string> = []
        const splitter = lineSplitter(1000, (line) => lines.push(line))
        splitter.push(bytes.subarray(0, at))
        splitter.push(bytes.subarray(at))
        splitter.flush()
        assert.deepStrictEqual(
          lines,
          text.split("\n").filter((line) => line !== "")
        )
      })
  )

  it("cuts a line that never ends", () => {
    assert.deepStrictEqual(split(4, ["abcdefgh", "ijk", "\nxy"]), ["abcd", "xy"])
  })

  it("keeps no half of an address where it cuts, for the other half may tell that the first is a password", () => {
    const address = "rtsp://operator:secret@10.0.0.7/live"
    for (let cut = `open ${address}`.indexOf(":") + 3; cut < `open ${address}`.length; cut++) {
      assert.deepStrictEqual(split(cut, [`open ${address} failed\n`]), ["open …"])
    }
    assert.deepStrictEqual(split(100, [`open ${address}`]), [`open ${address}`])
  })

  it("keeps the last lines only", () => {
    const last = tail(2)
    for (const line of ["1", "2", "3"]) last.add(line)
    assert.strictEqual(last.text(), "2\n3")
  })
})
