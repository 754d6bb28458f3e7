import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { eventually } from "../../support/Eventually.ts"
import { patience } from "../vm/Bench.ts"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

const formats = [mjpg(320, 240, 15)]
const names = ["one", "two", "three", "four", "five", "six", "seven", "eight"] as const

export default scenario({
  title: "a storm of 32 plugs and unplugs in 2 s ends in the true state, with nothing left open",
  cameras: {
    one: { name: "Storm 1", serial: "1", formats },
    two: { name: "Storm 2", serial: "2", formats },
    three: { name: "Storm 3", serial: "3", formats },
    four: { name: "Storm 4", serial: "4", formats },
    five: { name: "Storm 5", serial: "5", formats },
    six: { name: "Storm 6", serial: "6", formats },
    seven: { name: "Storm 7", serial: "7", formats },
    eight: { name: "Storm 8", serial: "8", formats }
  },
  play: Effect.fnUntraced(function* (lab) {
    const ids = yield* Effect.forEach(names, (name) => lab.plug(name))
    const { pid } = lab.bench.now().service
    const descriptors = () => readdirSync(`/proc/${pid}/fd`).length
    const before = descriptors()

    const began = Date.now()
    const shake = (name: (typeof names)[number]) => Effect.andThen(lab.pull(name), lab.insert(name))
    yield* Effect.forEach(names, (name) => Effect.andThen(shake(name), shake(name)), { concurrency: "unbounded" })
    yield* lab.pull("one")
    const took = Date.now() - began
    assert.ok(took < 2000, `the storm took ${took} ms`)

    const statesAre = (...wanted: ReadonlyArray<string>) =>
      eventually(
        wanted.join(" "),
        Effect.map(lab.call().get_camera_list({}), ({ cameras }) =>
          ids.every((id, i) => cameras.find(({ device }) => device === id)?.status === wanted[i])
        ),
        patience
      )
    const others = names.slice(1).map(() => "CONNECTED")
    yield* statesAre("DISCONNECTED", ...others)
    yield* eventually(
      "nothing is left open",
      Effect.sync(() => descriptors() <= before),
      patience
    )
    yield* lab.insert("one")
    yield* statesAre("CONNECTED", ...others)
  })
})
