import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { frameNumberOf } from "../camera/FrameNumber.ts"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { snapshotFile } from "../vm/Steps.ts"

/** ITU-T T.81, table B.1: defines Huffman tables. */
const huffmanTables = Buffer.from([0xff, 0xc4])

export default scenario({
  title: "a snapshot of a camera that leaves the Huffman tables out of its JPEG is a file that every viewer reads",
  cameras: { thrifty: { name: "Thrifty", serial: "U-1", formats: [mjpg(320, 240, 15)], huffmanTables: false } },
  play: Effect.fnUntraced(function* (lab) {
    const device = yield* lab.plug("thrifty")
    const { filename } = yield* lab.call().take_snapshot({ device })
    const file = yield* snapshotFile(lab, filename)
    assert.ok(readFileSync(file).includes(huffmanTables))
    yield* frameNumberOf(file)
  })
})
