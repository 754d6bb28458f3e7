import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import type { ControlType } from "../../../schema/Control.ts"
import { scenario } from "../vm/Scenario.ts"

export default scenario({
  title: "of a driver's many nodes only cameras are listed, and every type of control works",
  cameras: {},
  play: Effect.fnUntraced(function* (lab) {
    const { cameras } = yield* lab.call().get_camera_list({})
    // nodes for output, VBI, radio, touch and metadata are there beside these two
    const virtual = cameras.filter(({ name }) => name === "vivid")
    assert.equal(virtual.length, 2)
    const device = virtual[0]?.device ?? ""
    const { formats, validation_status } = yield* lab.call().get_camera_capabilities({ device })
    assert.equal(validation_status, "CONFIRMED")
    assert.ok(formats.includes("YUYV"), formats.join(" "))

    const { controls } = yield* lab.call().get_camera_controls({ device })
    const of = (type: ControlType, isReadOnly = false) =>
      controls.find((control) => control.type === type && (control.read_only === true) === isReadOnly)
    const set = lab.call().set_camera_control
    const setAndRead = (type: ControlType, value: number | string | boolean) =>
      Effect.map(set({ device, id: of(type)?.id ?? 0, value }), (control) => control.value)

    assert.equal(yield* setAndRead("boolean", true), 1)
    assert.equal(yield* setAndRead("integer", Number(of("integer")?.min)), of("integer")?.min)
    const [entry] = of("menu")?.menu ?? []
    assert.equal(yield* setAndRead("menu", entry?.value ?? -1), entry?.value)
    const [choice] = of("integer_menu")?.menu ?? []
    assert.equal(yield* setAndRead("integer_menu", choice?.value ?? -1), choice?.value)
    assert.equal(yield* setAndRead("integer64", "-9007199254740993"), "-9007199254740993")
    assert.equal(yield* setAndRead("bitmask", 0x10), 0x10)
    assert.equal(yield* setAndRead("string", " abc"), " abc")
    assert.equal((yield* set({ device, id: of("button")?.id ?? 0 })).value, null)

    const readOnly = controls.find(({ read_only }) => read_only === true)
    const refused = yield* Effect.flip(set({ device, id: readOnly?.id ?? 0, value: 1 }))
    assert.ok(refused._tag === "InvalidParams" && refused.param === "id", String(refused))
  })
})
