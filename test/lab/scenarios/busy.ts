import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { nodeOf, otherProgram } from "../vm/Steps.ts"

export default scenario({
  title: "a camera that another program uses is BUSY, with that program's name, until it is free",
  cameras: { desk: { name: "Shared desk", serial: "D-2", formats: [mjpg(320, 240, 15)] } },
  play: Effect.fnUntraced(function* (lab) {
    const id = yield* lab.plug("desk")
    const other = yield* otherProgram(lab, yield* nodeOf(lab, id))
    const failure = yield* Effect.flip(lab.call().start_streaming({ device: id }))
    const { update } = yield* lab.told("desk", ({ status }) => status === "ERROR")
    assert.equal(update.fault?.kind, "BUSY")
    assert.equal(update.fault.detail, `opened by ffmpeg (process ${other.pid})`)
    assert.equal(failure._tag === "DependencyFailed" && failure.detail, update.fault.detail)
    yield* other.end
    yield* lab.told("desk", ({ status }) => status === "CONNECTED")
  })
})
