import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ControlRpcs } from "../../schema/CameraRpcs.ts"
import { NotFound } from "../../schema/Errors.ts"
import { CameraControls } from "../../src/device/CameraControls.ts"
import type { Control, Given } from "../../src/device/Control.ts"
import * as ControlHandlers from "../../src/rpc/ControlHandlers.ts"
import { connectAs, layer } from "./Harness.ts"

const control: Control = {
  id: 0x980900,
  name: "Brightness",
  type: "integer",
  minimum: -64n,
  maximum: 64n,
  step: 1n,
  default: 0n,
  menu: [],
  flags: new Set(),
  value: 12n
}
const onWire = { id: 0x980900, name: "Brightness", type: "integer", min: -64, max: 64, step: 1, default: 0, value: 12 }

/** The handlers behind the real wire, over controls that answer so. */
const wire = (controls: Partial<CameraControls["Service"]>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      return layer({
        get_camera_controls: yield* ControlRpcs.accessHandler("get_camera_controls"),
        set_camera_control: yield* ControlRpcs.accessHandler("set_camera_control")
      })
    })
  ).pipe(Layer.provide(ControlHandlers.layer), Layer.provide(Layer.mock(CameraControls)(controls)))

const request = (method: string, params: object) => ({ jsonrpc: "2.0", id: 1, method, params })

const listed = (controls: ReadonlyArray<Control>) =>
  Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    return yield* client.call(request("get_camera_controls", { device: "camera0" }))
  }).pipe(Effect.provide(wire({ list: () => Effect.succeed(controls) })))

describe("get_camera_controls", () => {
  it.live.each<[string, Partial<Control>, object]>([
    ["an integer", {}, {}],
    ["a boolean", { type: "boolean", value: 1n }, { type: "boolean", value: 1 }],
    [
      "a menu",
      { type: "menu", menu: [{ value: 1, name: "50 Hz" }] },
      { type: "menu", menu: [{ value: 1, name: "50 Hz" }] }
    ],
    [
      "an integer menu",
      { type: "integer_menu", menu: [{ value: 0, name: "-5" }] },
      { type: "integer_menu", menu: [{ value: 0, name: "-5" }] }
    ],
    ["a button", { type: "button", value: undefined }, { type: "button", value: null }],
    [
      "an integer64",
      { type: "integer64", minimum: -(2n ** 63n), maximum: 2n ** 53n, value: 2n ** 53n - 1n },
      { type: "integer64", min: "-9223372036854775808", max: "9007199254740992", value: 9007199254740991 }
    ],
    ["a bitmask", { type: "bitmask", value: 0x80000000n }, { type: "bitmask", value: 0x80000000 }],
    ["a text", { type: "string", value: "12" }, { type: "string", value: "12", default: "" }],
    ["one that is read-only", { flags: new Set(["readOnly"]) }, { read_only: true }],
    ["one that is write-only", { flags: new Set(["writeOnly"]), value: undefined }, { write_only: true, value: null }],
    ["one that another governs", { flags: new Set(["inactive"]) }, { inactive: true }],
    ["one that is held", { flags: new Set(["grabbed"]) }, { grabbed: true }],
    ["one that changes by itself", { flags: new Set(["volatile"]) }, { volatile: true }]
  ])("shows %s", ([, more, shown]) =>
    Effect.map(listed([{ ...control, ...more }]), (reply) =>
      expect(reply).toEqual({ jsonrpc: "2.0", id: 1, result: { controls: [{ ...onWire, ...shown }] } })
    )
  )
})

describe("set_camera_control", () => {
  const given: Array<Given> = []
  const controls = wire({
    set: (_camera, id, value) => {
      given.push(value)
      return id === control.id
        ? Effect.succeed({ ...control, value: 7n })
        : Effect.fail(new NotFound({ resource: "control", id: String(id) }))
    }
  })

  it.live("gives numbers, truth and text as they came, and answers with the control as it is", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      for (const value of [5, true, "9007199254740993"]) {
        const reply = yield* client.call(request("set_camera_control", { device: "camera0", id: control.id, value }))
        expect(reply).toEqual({ jsonrpc: "2.0", id: 1, result: { ...onWire, value: 7 } })
      }
      yield* client.call(request("set_camera_control", { device: "camera0", id: control.id }))
      expect(given).toEqual([5, true, "9007199254740993", undefined])
    }).pipe(Effect.provide(controls))
  )

  it.live.each<[object, object]>([
    [
      { device: "camera0", id: 5, value: 1 },
      { code: -32010, data: { resource: "control", id: "5" } }
    ],
    [
      { device: "camera0", id: "brightness", value: 1 },
      { code: -32602, data: { param: "id" } }
    ],
    [
      { device: "camera0", value: 1 },
      { code: -32602, data: { param: "id" } }
    ],
    [
      { device: "camera0", id: 5, value: 1.5 },
      { code: -32602, data: { param: "value" } }
    ],
    [
      { device: "camera0", id: 5, value: [1] },
      { code: -32602, data: { param: "value" } }
    ],
    [
      { device: "/dev/video0", id: 5, value: 1 },
      { code: -32602, data: { param: "device" } }
    ]
  ])("refuses %j", ([params, error]) =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      expect(yield* client.call(request("set_camera_control", params))).toMatchObject({ error })
    }).pipe(Effect.provide(controls))
  )

  it.live("is nothing for a viewer", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("viewer")
      const params = { device: "camera0", id: control.id, value: 5 }
      expect(yield* client.call(request("set_camera_control", params))).toMatchObject({
        error: { code: -32002, data: { required_role: "operator", have_role: "viewer" } }
      })
    }).pipe(Effect.provide(controls))
  )
})
