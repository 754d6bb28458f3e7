import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { frameNumberOf } from "../camera/FrameNumber.ts"
import { scenario } from "../vm/Scenario.ts"
import { holdersOf, nodeOf, snapshotFile, streaming } from "../vm/Steps.ts"

export default scenario({
  title: "a snapshot of a streaming MJPEG camera is a frame of its own, unchanged, and opens the camera no second time",
  cameras: { yard: { name: "Yard", serial: "Y-1", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const device = yield* lab.plug("yard")
    yield* streaming(lab, device)
    const node = yield* nodeOf(lab, device)
    const before = holdersOf(node)
    assert.equal(before.length, 1)
    const taken = yield* lab.call().take_snapshot({ device, max_age_ms: 0 })
    const sent = lab.camera("yard").framesSent()
    assert.equal(taken.tier_name, "live")
    assert.deepEqual([taken.width, taken.height], [320, 240])
    const file = yield* snapshotFile(lab, taken.filename)
    assert.ok(lab.camera("yard").sentThis(file), "the file is not what the camera sent")
    const number = yield* frameNumberOf(file)
    // a second of frames: what the emulated machine may need from the camera to the reply
    assert.ok(number > sent - 15, `frame ${number} is old: ${sent} were sent`)
    assert.deepEqual(holdersOf(node), before)
  })
})
