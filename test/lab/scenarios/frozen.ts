import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { streaming } from "../vm/Steps.ts"

export default scenario({
  title: "a camera that freezes is FROZEN within seconds, and CONNECTED when it goes on",
  cameras: { tower: { name: "Tower", serial: "T-1", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const id = yield* lab.plug("tower")
    yield* streaming(lab, id)
    const frozenAt = Date.now()
    yield* lab.camera("tower").freeze
    const { at, update } = yield* lab.told("tower", ({ status }) => status === "ERROR")
    assert.equal(update.fault?.kind, "FROZEN")
    // 2.25 s by our clock; the machine's own slowness comes on top
    assert.ok(at - frozenAt < 6000, `noticed after ${at - frozenAt} ms`)
    yield* lab.camera("tower").thaw
    yield* lab.told("tower", ({ status }) => status === "CONNECTED")
  })
})
