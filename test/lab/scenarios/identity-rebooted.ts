import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import type { Lab } from "../vm/Lab.ts"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

const formats = [mjpg(320, 240, 15)]

type Name = "numbered" | "plain" | "leftTwin" | "rightTwin"

const namesOf = (lab: Lab<Name>) =>
  Effect.map(lab.call().get_camera_list({}), ({ cameras }) =>
    Object.fromEntries(cameras.map(({ device, name }) => [name, device]))
  )

export default scenario({
  title: "cameras keep their names when the machine is switched off and on and they come up in another order",
  cameras: {
    numbered: { name: "Numbered", serial: "N-1", formats },
    plain: { name: "Plain", formats },
    leftTwin: { name: "Left twin", serial: "TWIN", formats },
    rightTwin: { name: "Right twin", serial: "TWIN", formats }
  },
  settings: {},
  play: Effect.fnUntraced(function* (lab) {
    yield* lab.plug("numbered", 0)
    yield* lab.plug("plain", 1)
    yield* lab.plug("leftTwin", 2)
    yield* lab.plug("rightTwin", 3)
    const { "Left twin": left, Numbered: numbered, Plain: plain, "Right twin": right } = yield* namesOf(lab)
    assert.equal(new Set([left, numbered, plain, right]).size, 4)
    const log = lab.bench.now().service.stderr()
    assert.match(log, /told apart by where they are plugged in/)
    // vivid's two cameras were there before
    assert.deepEqual([numbered, plain, left, right], ["camera2", "camera3", "camera4", "camera5"])
  }),
  afterReboot: Effect.fnUntraced(function* (lab) {
    // the numbered one has moved to another port; the others are where they were
    assert.equal(yield* lab.plug("rightTwin", 3), "camera5")
    assert.equal(yield* lab.plug("plain", 1), "camera3")
    assert.equal(yield* lab.plug("leftTwin", 2), "camera4")
    assert.equal(yield* lab.plug("numbered", 5), "camera2")
  })
})
