import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

export default scenario({
  title: "a camera that the USB bus has no room for has NO_BANDWIDTH, and not a full disk",
  cameras: {
    crowded: { name: "Crowded", serial: "C-1", formats: [mjpg(320, 240, 15)], busFull: true }
  },
  play: Effect.fnUntraced(function* (lab) {
    const id = yield* lab.plug("crowded")
    const failure = yield* Effect.flip(lab.call().start_streaming({ device: id }))
    const { update } = yield* lab.told("crowded", ({ status }) => status === "ERROR")
    assert.equal(failure._tag, "DependencyFailed")
    assert.equal(update.fault?.kind, "NO_BANDWIDTH")
    assert.match(update.fault.suggestion, /USB controller/)
  })
})
