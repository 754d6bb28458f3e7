import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { controlNamed } from "../vm/Steps.ts"

const formats = [mjpg(320, 240, 15)]
const controls = [{ name: "brightness" }] as const

export default scenario({
  title:
    "a camera that does not answer control requests keeps nobody waiting but those who ask it, and those not for long",
  cameras: {
    stuck: { name: "Stuck", serial: "H-1", formats, controls },
    well: { name: "Well", serial: "H-2", formats, controls },
    late: { name: "Late", serial: "H-3", formats, controls }
  },
  play: Effect.fnUntraced(function* (lab) {
    const stuck = yield* lab.plug("stuck")
    const well = yield* lab.plug("well")
    yield* lab.camera("stuck").hangControls(true)
    const asked = yield* Effect.forkChild(Effect.flip(lab.call().get_camera_controls({ device: stuck })), {
      startImmediately: true
    })
    assert.equal((yield* controlNamed(lab, well, "Brightness")).value, 0)
    yield* lab.plug("late")
    const failure = yield* Fiber.join(asked)
    assert.ok(failure._tag === "DependencyFailed" && failure.dependency === "camera", String(failure))
    yield* lab.camera("stuck").hangControls(false)

    // slow is not stuck
    yield* lab.camera("well").delayControls(200)
    const { id } = yield* controlNamed(lab, well, "Brightness")
    assert.equal((yield* lab.call().set_camera_control({ device: well, id, value: 7 })).value, 7)
  })
})
