import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { streaming } from "../vm/Steps.ts"

export default scenario({
  title: "a camera whose link is lost while it streams is DISCONNECTED, and its stream goes on when it is back",
  cameras: { drone: { name: "Drone", serial: "Z-1", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const device = yield* lab.plug("drone")
    yield* streaming(lab, device)
    yield* lab.camera("drone").yank
    yield* lab.told("drone", ({ status }) => status === "DISCONNECTED")
    const refused = yield* Effect.flip(lab.call().take_snapshot({ device, max_age_ms: 0 }))
    assert.equal(refused._tag, "DependencyFailed")
    yield* lab.pull("drone")
    assert.equal(yield* lab.plug("drone", 2), device)
    assert.equal((yield* streaming(lab, device)).status, "ACTIVE")
  })
})
