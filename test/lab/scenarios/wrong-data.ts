import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { streaming } from "../vm/Steps.ts"

export default scenario({
  title: "a camera whose frames are no pictures has WRONG_DATA, and is CONNECTED when they are again",
  cameras: { gate: { name: "Gate", serial: "G-1", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const id = yield* lab.plug("gate")
    yield* streaming(lab, id)
    yield* lab.camera("gate").breakFrames(true)
    const { update } = yield* lab.told("gate", ({ status }) => status === "ERROR")
    assert.equal(update.fault?.kind, "WRONG_DATA")
    yield* lab.camera("gate").breakFrames(false)
    yield* lab.told("gate", ({ status }) => status === "CONNECTED")
  })
})
