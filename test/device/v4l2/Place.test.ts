import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Identity } from "../../../src/device/Device.ts"
import { identityOf, readPlace } from "../../../src/device/v4l2/Place.ts"
import { fakeKernel, type FakeNode } from "./FakeSysfs.ts"

const controller = "pci0000:00/0000:00:14.0"
const hub = `${controller}/usb1`

interface Usb {
  readonly serial?: string
  readonly usbInterface?: string
  readonly usbClass?: string
  readonly model?: string
  readonly index?: number
  readonly name?: string
}

/** A USB camera: its folder is that of an interface, whose parent is the device; `1-2.4` hangs on the hub `1-2`. */
const usbNode = (
  port: string,
  { model = "0825", serial, usbClass = "0e", usbInterface = "00", ...more }: Usb = {}
): FakeNode => {
  const parents = port.split(".").slice(0, -1)
  const device = [hub, ...parents.map((_, i) => parents.slice(0, i + 1).join(".")), port].join("/")
  const folder = `${device}/${port}:1.${Number.parseInt(usbInterface, 16)}`
  return {
    device: folder,
    attributes: {
      // the hub that everything is plugged into is a USB device too
      [`${hub}/idVendor`]: "1d6b",
      [`${hub}/serial`]: "0000:00:14.0",
      [`${hub}/devpath`]: "0",
      [`${device}/idVendor`]: "046d",
      [`${device}/idProduct`]: model,
      [`${device}/devpath`]: port.slice("1-".length),
      ...(serial === undefined ? {} : { [`${device}/serial`]: serial }),
      [`${folder}/bInterfaceNumber`]: usbInterface,
      [`${folder}/bInterfaceClass`]: usbClass
    },
    ...more
  }
}

const place = Effect.fnUntraced(function* (node: FakeNode) {
  const kernel = yield* fakeKernel
  yield* kernel.plug("video7", node)
  return yield* Effect.promise(() => readPlace(kernel.sys, join(kernel.sys, "class", "video4linux", "video7")))
})

const serial = "5A9C1F20"
const usb = (slot: string, port = "2"): Identity => ({
  serial: `usb:046d:0825:${serial}:${slot}`,
  position: `bus:usb-0000:00:14.0-${port}:046d:0825:${slot}`
})
const position = (text: string): Identity => ({ position: text })

const cases: ReadonlyArray<[title: string, node: FakeNode, bus: string, identity: Identity]> = [
  ["a USB camera has its serial number, and its port as the kernel names it", usbNode("1-2", { serial }), "", usb("0")],
  ["one behind a hub has the way to it", usbNode("1-2.4", { serial }), "", usb("0", "2.4")],
  ["a second camera in the same case has its interface", usbNode("1-2", { serial, usbInterface: "0c" }), "", usb("12")],
  ["a second stream of the same interface has its index", usbNode("1-2", { serial, index: 2 }), "", usb("0.2")],
  [
    "one without a serial number has its port and its model",
    usbNode("1-2"),
    "",
    position("bus:usb-0000:00:14.0-2:046d:0825:0")
  ],
  [
    "another model at the same port is another camera",
    usbNode("1-2", { model: "0826" }),
    "",
    position("bus:usb-0000:00:14.0-2:046d:0826:0")
  ],
  [
    "a blank serial number is none",
    usbNode("1-2", { serial: " " }),
    "",
    position("bus:usb-0000:00:14.0-2:046d:0825:0")
  ],
  [
    "a vivid node has what its driver says of the bus, and its index",
    { device: "platform/vivid.0", index: 3 },
    "platform:vivid-000",
    position("bus:platform:vivid-000:3")
  ],
  [
    "one whose driver names no bus has its path",
    { device: "platform/soc/fe801000.csi" },
    "",
    position("bus:platform/soc/fe801000.csi:0")
  ]
]

describe("a camera's identity", () => {
  it.effect.each(cases)("%s", ([, node, bus, expected]) =>
    Effect.gen(function* () {
      const there = yield* place(node)
      assert.deepStrictEqual(identityOf(there, bus), expected)
      // before the device is asked, and whatever it says then
      if (there.usb !== undefined) assert.deepStrictEqual(identityOf(there, "usb-elsewhere"), expected)
    })
  )

  it.effect("does not depend on the node's number", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      const read = (node: string) =>
        Effect.promise(() => readPlace(kernel.sys, join(kernel.sys, "class", "video4linux", node)))
      yield* kernel.plug("video0", usbNode("1-2", { serial }))
      const before = yield* read("video0")
      yield* kernel.unplug("video0")
      yield* kernel.plug("video12", usbNode("1-2", { serial }))
      assert.deepStrictEqual(yield* read("video12"), before)
    })
  )

  it.effect("is the bus alone where there is no sysfs", () =>
    Effect.gen(function* () {
      const there = yield* Effect.promise(() => readPlace("/nowhere", "/nowhere/class/video4linux/video0"))
      assert.deepStrictEqual(identityOf(there, "usb-x-1"), position("bus:usb-x-1:0"))
    })
  )
})

describe("a node that a USB camera delivers frames from", () => {
  it.effect("is told by its USB class and its index, and has a name", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* place(usbNode("1-2", { name: "HD Webcam C525" })), {
        isUsbCamera: true,
        name: "HD Webcam C525"
      })
      const others = [
        usbNode("1-2", { index: 1 }),
        usbNode("1-2", { usbClass: "ff" }),
        { device: "platform/vivid.0", name: "vivid" }
      ]
      for (const other of others) assert.isFalse((yield* place(other)).isUsbCamera)
    })
  )
})
