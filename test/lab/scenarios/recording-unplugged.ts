import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

export default scenario({
  title: "a recording whose camera is pulled out is whole, and goes on by itself when the camera is back",
  cameras: { mast: { name: "Mast", serial: "M-1", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const device = yield* lab.plug("mast")
    const first = yield* lab.call().start_recording({ device })
    yield* Effect.sleep("3 seconds")
    yield* lab.pull("mast")
    const { update: stopped } = yield* lab.updates().recording(({ status }) => status === "STOPPED")
    assert.equal(stopped.filename, first.filename)
    assert.match(stopped.reason ?? "", /unplugged/)
    const whole = yield* lab.call().get_recording_info({ filename: first.filename })
    assert.ok(whole.duration > 2, `${whole.duration} s are left of 3`)
    yield* lab.told("mast", ({ status }) => status === "DISCONNECTED")

    assert.equal(yield* lab.plug("mast"), device)
    const { update: again } = yield* lab
      .updates()
      .recording(({ filename, status }) => status === "RECORDING" && filename !== first.filename)
    yield* Effect.sleep("2 seconds")
    const { files } = yield* lab.call().stop_recording({ device })
    assert.deepEqual(files, [first.filename, again.filename])
    const second = yield* lab.call().get_recording_info({ filename: again.filename })
    assert.ok(second.duration > 1, `the second file has ${second.duration} s`)
    assert.equal(second.codec, "h264")
  })
})
