import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ControlFlag } from "../../../src/device/Control.ts"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { Kernel } from "../../../src/device/v4l2/Kernel.ts"
import { V4l2Controls } from "../../../src/device/v4l2/V4l2Controls.ts"
import { flag, type PlayedControl, type } from "../../../testing/V4l2Controls.ts"
import { fakeCameras } from "./ControlCalls.ts"

export const path = "/dev/video0"

/** One control of each kind that a client may meet, in the order of their ids. */
export const everyKind = (): ReadonlyArray<PlayedControl> => [
  { id: 0x980001, name: "User Controls", type: type.class, flags: flag.readOnly | flag.writeOnly, value: 0n },
  { id: 0x980900, name: "Brightness", type: type.integer, range: [-64n, 64n, 8n], default: 8n, value: -16n },
  { id: 0x98090c, name: "White Balance, Automatic", type: type.boolean, range: [0n, 1n, 1n], default: 1n, value: 1n },
  {
    id: 0x980918,
    name: "Power Line Frequency",
    type: type.menu,
    range: [0n, 3n, 1n],
    default: 2n,
    menu: { 0: "Disabled", 1: "50 Hz", 3: "Auto" },
    value: 1n
  },
  { id: 0x980980, name: "Reset", type: type.button, flags: flag.writeOnly, value: 0n },
  {
    id: 0x980981,
    name: "Large",
    type: type.integer64,
    range: [-(2n ** 63n), 2n ** 63n - 1n, 1n],
    default: 2n ** 60n,
    value: -(2n ** 62n)
  },
  { id: 0x980982, name: "Label", type: type.string, range: [0n, 12n, 1n], value: "Tür" },
  {
    id: 0x980983,
    name: "Regions",
    type: type.bitmask,
    range: [0n, 0x80402010n, 0n],
    default: 0x80000010n,
    value: 0x80000000n
  },
  {
    id: 0x980984,
    name: "Link Frequency",
    type: type.integerMenu,
    range: [1n, 2n, 1n],
    default: 1n,
    menu: { 1: 2n ** 40n, 2: -5n },
    value: 2n
  },
  { id: 0x980985, name: "Matrix", type: type.integer, range: [0n, 9n, 1n], dimensions: 2, value: 0n },
  { id: 0x980986, name: "Area", type: type.area, value: 0n },
  { id: 0x980987, name: "Broken by design", type: type.integer, flags: flag.disabled, value: 0n }
]

export const plain = { menu: [], flags: new Set<ControlFlag>() }
export const expected = [
  {
    ...plain,
    id: 0x980900,
    name: "Brightness",
    type: "integer",
    minimum: -64n,
    maximum: 64n,
    step: 8n,
    default: 8n,
    value: -16n
  },
  {
    ...plain,
    id: 0x98090c,
    name: "White Balance, Automatic",
    type: "boolean",
    minimum: 0n,
    maximum: 1n,
    step: 1n,
    default: 1n,
    value: 1n
  },
  {
    ...plain,
    id: 0x980918,
    name: "Power Line Frequency",
    type: "menu",
    minimum: 0n,
    maximum: 3n,
    step: 1n,
    default: 2n,
    menu: [
      { value: 0, name: "Disabled" },
      { value: 1, name: "50 Hz" },
      { value: 3, name: "Auto" }
    ],
    value: 1n
  },
  {
    ...plain,
    id: 0x980980,
    name: "Reset",
    type: "button",
    minimum: 0n,
    maximum: 0n,
    step: 0n,
    default: 0n,
    flags: new Set(["writeOnly"]),
    value: undefined
  },
  {
    ...plain,
    id: 0x980981,
    name: "Large",
    type: "integer64",
    minimum: -(2n ** 63n),
    maximum: 2n ** 63n - 1n,
    step: 1n,
    default: 2n ** 60n,
    value: -(2n ** 62n)
  },
  {
    ...plain,
    id: 0x980982,
    name: "Label",
    type: "string",
    minimum: 0n,
    maximum: 12n,
    step: 1n,
    default: 0n,
    value: "Tür"
  },
  {
    ...plain,
    id: 0x980983,
    name: "Regions",
    type: "bitmask",
    minimum: 0n,
    maximum: 0x80402010n,
    step: 0n,
    default: 0x80000010n,
    value: 0x80000000n
  },
  {
    ...plain,
    id: 0x980984,
    name: "Link Frequency",
    type: "integer_menu",
    minimum: 1n,
    maximum: 2n,
    step: 1n,
    default: 1n,
    menu: [
      { value: 1, name: "1099511627776" },
      { value: 2, name: "-5" }
    ],
    value: 2n
  }
]

export const kernelOn = (calls: KernelCalls["Service"]) =>
  Kernel.layer.pipe(Layer.provide([Layer.succeed(KernelCalls, calls), KernelFiles.layer]))

export const layerOf = (cameras: ReturnType<typeof fakeCameras>) =>
  V4l2Controls.layer.pipe(Layer.provide(kernelOn(cameras.calls)))

/** The controls of this camera, on the real kernel service over fake system calls. */
export const withCamera = <A, E>(
  controls: ReadonlyArray<PlayedControl>,
  body: (leaf: V4l2Controls["Service"], cameras: ReturnType<typeof fakeCameras>) => Effect.Effect<A, E>
) => {
  const cameras = fakeCameras({ [path]: controls })
  return Effect.flatMap(V4l2Controls, (leaf) => body(leaf, cameras)).pipe(Effect.provide(layerOf(cameras)))
}

export const described = Effect.fnUntraced(function* (leaf: V4l2Controls["Service"], id: number) {
  const control = yield* leaf.describe(path, id)
  if (control === undefined) throw new Error(`there is no control ${id}`)
  return control
})

export const brightness = (more: Partial<PlayedControl> = {}): PlayedControl => ({
  id: 0x980900,
  name: "Brightness",
  type: type.integer,
  range: [0n, 100n, 10n],
  value: 50n,
  ...more
})
