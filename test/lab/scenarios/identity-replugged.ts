import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

export default scenario({
  title: "a camera keeps its name when it is pulled out and plugged in again, also at another port",
  cameras: { desk: { name: "Desk", serial: "DESK-1", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const id = yield* lab.plug("desk")
    yield* lab.unplug("desk")
    assert.strictEqual(yield* lab.plug("desk"), id)
    yield* lab.unplug("desk")
    assert.strictEqual(yield* lab.plug("desk", 3), id)
    const { cameras } = yield* lab.call().get_camera_list({})
    assert.equal(cameras.filter(({ name }) => name === "Desk").length, 1)
  })
})
