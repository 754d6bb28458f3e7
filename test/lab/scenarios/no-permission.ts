import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { chmodSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../../support/Eventually.ts"
import { patience } from "../vm/Bench.ts"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"

/** What udev has given to the group of cameras. */
const nodes = () =>
  readdirSync("/dev")
    .filter((name) => /^video\d+$/.test(name))
    .map((name) => join("/dev", name))

export default scenario({
  title: "a camera that the service's user may not open has NO_PERMISSION, and works as soon as it may be opened",
  cameras: { locked: { name: "Locked", serial: "L-1", formats: [mjpg(320, 240, 15)] } },
  settings: {},
  user: "nobody",
  play: Effect.fnUntraced(function* (lab) {
    yield* lab.insert("locked")
    const { update } = yield* lab.told("locked", ({ status }) => status === "ERROR")
    assert.equal(update.fault?.kind, "NO_PERMISSION")
    assert.match(update.fault.suggestion, /group/)
    yield* eventually(
      "udev has done its part",
      Effect.sync(() => nodes().every((node) => (statSync(node).mode & 0o060) === 0o060)),
      patience
    )
    for (const node of nodes()) chmodSync(node, 0o666)
    const { update: opened } = yield* lab.told("locked", ({ status }) => status === "CONNECTED")
    assert.equal(opened.device, update.device)
    assert.equal(opened.resolution, "320x240")
  })
})
