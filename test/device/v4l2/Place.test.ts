import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Identity } from "../../../src/device/Device.ts"
import { identityOf, placeAt, readName, readSerial, readSite } from "../../../src/device/v4l2/Place.ts"
import { fakeKernel, type FakeNode, usbCamera } from "./FakeSysfs.ts"

const read = (sys: string, node: string) =>
  Effect.promise(async () => {
    const site = readSite(sys, join(sys, "class", "video4linux", node))
    return placeAt(site, site.usb === undefined ? "" : await readSerial(site.usb.device))
  })

const place = Effect.fnUntraced(function* (node: FakeNode) {
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

const cases: ReadonlyArray<[title: string, node: FakeNode, bus: string, identity: Identity]> = [
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
      const there = yield* place(node)
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
      assert.isTrue((yield* place(usbCamera({ port }))).isUsbCamera)
      const others = [
        { ...usbCamera({ port }), index: 1 },
        usbCamera({ port, usbClass: "FF" }),
        { device: "platform/vivid.0" }
      ]
      for (const other of others) assert.isFalse((yield* place(other)).isUsbCamera)
    })
  )
})

describe("a node's name", () => {
  it.effect("is what its driver says, and empty when the node is gone", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      const entry = join(kernel.sys, "class", "video4linux", "video7")
      yield* kernel.plug("video7", { ...usbCamera({ port }), name: "HD Webcam C525" })
      assert.strictEqual(readName(entry), "HD Webcam C525")
      yield* kernel.unplug("video7")
      assert.strictEqual(readName(entry), "")
    })
  )
})
