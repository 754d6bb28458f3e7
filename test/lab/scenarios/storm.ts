import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { eventually } from "../../support/Eventually.ts"
import { patience } from "../vm/Bench.ts"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { usbInterfaceOf, setDriver } from "../vm/Steps.ts"

const formats = [mjpg(320, 240, 15)]
const names = ["one", "two", "three", "four"] as const

export default scenario({
  title: "a storm of 32 plugs and unplugs in 2 s ends in the true state, with nothing left open",
  cameras: {
    one: { name: "Storm 1", serial: "1", formats },
    two: { name: "Storm 2", serial: "2", formats },
    three: { name: "Storm 3", serial: "3", formats },
    four: { name: "Storm 4", serial: "4", formats }
  },
  play: Effect.fnUntraced(function* (lab) {
    const ids = yield* Effect.forEach(names, (name) => lab.plug(name))
    const interfaces = yield* Effect.forEach(ids, (id) => usbInterfaceOf(lab, id))
    const { pid } = lab.bench.now().service
    const descriptors = () => readdirSync(`/proc/${pid}/fd`).length
    const before = descriptors()

    const began = Date.now()
    for (let round = 0; round < 4; round++) {
      for (const at of interfaces) yield* setDriver(at, false)
      for (const at of interfaces) yield* setDriver(at, true)
    }
    const [first = ""] = interfaces
    yield* setDriver(first, false)
    const took = Date.now() - began
    assert.ok(took < 4000, `the storm took ${took} ms`)

    const states = Effect.map(lab.call().get_camera_list({}), ({ cameras }) =>
      ids.map((id) => cameras.find(({ device }) => device === id)?.status).join(" ")
    )
    yield* eventually(
      "the true state",
      Effect.map(states, (now) => now === "DISCONNECTED CONNECTED CONNECTED CONNECTED"),
      patience
    )
    yield* eventually(
      "nothing is left open",
      Effect.sync(() => descriptors() <= before),
      patience
    )
    yield* setDriver(first, true)
    yield* eventually(
      "all four are back",
      Effect.map(states, (now) => now === "CONNECTED CONNECTED CONNECTED CONNECTED"),
      patience
    )
  })
})
