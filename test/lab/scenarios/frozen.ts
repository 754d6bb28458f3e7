import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { streaming } from "../vm/Steps.ts"

export default scenario({
  title: "a camera that freezes is FROZEN in less than 3 s, and CONNECTED when it goes on",
  cameras: { tower: { name: "Tower", serial: "T-1", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const id = yield* lab.plug("tower")
    yield* streaming(lab, id)
    const frozenAt = Date.now()
    yield* lab.camera("tower").freeze
    const { at, update } = yield* lab.told("tower", ({ status }) => status === "ERROR")
    assert.equal(update.fault?.kind, "FROZEN")
    assert.ok(at - frozenAt < 3000, `noticed after ${at - frozenAt} ms`)
    yield* lab.camera("tower").thaw
    yield* lab.told("tower", ({ status }) => status === "CONNECTED")
  })
})
