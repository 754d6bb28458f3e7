import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

const formats = [mjpg(320, 240, 15)]

export default scenario({
  title: "two cameras with one serial number keep their own names when the service is started anew with one of them",
  cameras: {
    first: { name: "First twin", serial: "SAME", formats },
    second: { name: "Second twin", serial: "SAME", formats }
  },
  settings: {},
  play: Effect.fnUntraced(function* (lab) {
    const first = yield* lab.plug("first", 0)
    const second = yield* lab.plug("second", 1)
    assert.notEqual(first, second)
    yield* lab.unplug("first")
    yield* lab.bench.restart
    const { cameras } = yield* lab.call().get_camera_list({})
    const again = cameras.find(({ name }) => name === "Second twin")
    assert.deepEqual([again?.device, again?.status], [second, "CONNECTED"])
    assert.equal(yield* lab.plug("first", 0), first)
  })
})
