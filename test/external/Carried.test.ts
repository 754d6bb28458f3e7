import { assert, it } from "@effect/vitest"
import { carriedIn, withShown } from "../../src/external/Carried.ts"

it("metadata of a transport stream into which nobody has looked is neither there nor missing", () => {
  // what a run tells of whose B-frames it has seen
  assert.deepStrictEqual(withShown(undefined, { codec: "h264", hasBFrames: true }), { codec: "h264", hasBFrames: true })
  assert.deepStrictEqual(carriedIn({ video: { codec: "mp2t", clockRate: 90_000 } }), { codec: "mp2t" })
})
