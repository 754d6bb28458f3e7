import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Identity } from "../../../src/device/Device.ts"
import { identityOf, locate, nameOf, serialFile, tidy, withSerial } from "../../../src/device/v4l2/NodeLocation.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { type SysfsNode, usbCamera } from "../../../testing/Sysfs.ts"
import { fakeKernel } from "./FakeSysfs.ts"

const filesIn = (sys: string) =>
  Effect.provide(KernelFiles, KernelFiles.layerAt({ dev: "/nowhere", sys, proc: "/nowhere" }))

const read = Effect.fnUntraced(function* (sys: string, node: string) {
  const files = yield* filesIn(sys)
  const there = locate(files, join(sys, "class", "video4linux", node))
  return withSerial(there, there.usb === undefined ? "" : tidy(files.text(serialFile(there.usb.device)) ?? ""))
})

const location = Effect.fnUntraced(function* (node: SysfsNode) {
  const kernel = yield* fakeKernel
  yield* kernel.plug("video7", node)
  return yield* read(kernel.sys, "video7")
})

const port = "1-2"
const serial = "5A9C1F20"
const usb = (slot: string, at = "2"): Identity => ({
  serial: `usb:046d:0825:${serial}:${slot}`,
  position: `bus:usb-0000:00:14.0-${at}:046d:0825:${slot}`
})
const position = (text: string): Identity => ({ position: text })

const cases: ReadonlyArray<[title: string, node: SysfsNode, bus: string, identity: Identity]> = [
  [
    "a USB camera has its serial number, and its port as the kernel names it",
    usbCamera({ port, serial }),
    "",
    usb("0")
  ],
  ["one behind a hub has the way to it", usbCamera({ port: "1-2.4", serial }), "", usb("0", "2.4")],
  ["a second camera in the same case has its interface", usbCamera({ port, serial, usbInterface: 12 }), "", usb("12")],
  ["a second stream of the same interface has its index", { ...usbCamera({ port, serial }), index: 2 }, "", usb("0.2")],
  [
    "one without a serial number has its port and its model",
    usbCamera({ port }),
    "",
    position("bus:usb-0000:00:14.0-2:046d:0825:0")
  ],
  [
    "another model at the same port is another camera",
    usbCamera({ port, product: "0826" }),
    "",
    position("bus:usb-0000:00:14.0-2:046d:0826:0")
  ],
  [
    "a blank serial number is none",
    usbCamera({ port, serial: " " }),
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
      const there = yield* location(node)
      assert.deepStrictEqual(identityOf(there, bus), expected)
      // before the device is asked, and whatever it says then
      if (there.usb !== undefined) assert.deepStrictEqual(identityOf(there, "usb-elsewhere"), expected)
    })
  )

  it.effect("does not depend on the node's number", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.plug("video0", usbCamera({ port, serial }))
      const before = yield* read(kernel.sys, "video0")
      yield* kernel.unplug("video0")
      yield* kernel.plug("video12", usbCamera({ port, serial }))
      assert.deepStrictEqual(yield* read(kernel.sys, "video12"), before)
    })
  )

  it.effect("is the bus alone where there is no sysfs", () =>
    Effect.gen(function* () {
      const there = yield* read("/nowhere", "video0")
      assert.deepStrictEqual(identityOf(there, "usb-x-1"), position("bus:usb-x-1:0"))
    })
  )
})

describe("a node that a USB camera delivers frames from", () => {
  it.effect("is told by its USB class and its index", () =>
    Effect.gen(function* () {
      assert.isTrue((yield* location(usbCamera({ port }))).isUsbCamera)
      const others = [
        { ...usbCamera({ port }), index: 1 },
        usbCamera({ port, usbClass: "FF" }),
        { device: "platform/vivid.0" }
      ]
      for (const other of others) assert.isFalse((yield* location(other)).isUsbCamera)
    })
  )
})

describe("a node's name", () => {
  it.effect("is what its driver says, and empty when the node is gone", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      const entry = join(kernel.sys, "class", "video4linux", "video7")
      yield* kernel.plug("video7", { ...usbCamera({ port }), name: "HD Webcam C525" })
      const files = yield* filesIn(kernel.sys)
      assert.strictEqual(nameOf(files, entry), "HD Webcam C525")
      yield* kernel.unplug("video7")
      assert.strictEqual(nameOf(files, entry), "")
    })
  )
})
