import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

export default scenario({
  title: "a camera is there, and known by its serial number, while the kernel still waits for its microphone",
  cameras: { desk: { name: "Chatty", serial: "M-1", formats: [mjpg(320, 240, 15)], slowMicrophone: true } },
  play: Effect.fnUntraced(function* (lab) {
    const id = yield* lab.plug("desk")
    assert.ok(lab.camera("desk").isWaitedFor(), "the kernel was done with the device before the camera was there")
    yield* lab.camera("desk").answerMicrophone
    yield* lab.unplug("desk")
    // its serial number is all that is the same
    assert.strictEqual(yield* lab.plug("desk", 5), id)
    assert.ok(lab.camera("desk").isWaitedFor(), "its serial number was read when the device was unlocked")
    yield* lab.camera("desk").answerMicrophone
  })
})
