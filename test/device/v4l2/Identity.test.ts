import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeIdentities, type Place, readPlace } from "../../../src/device/v4l2/Identity.ts"
import { fakeKernel, type FakeNode } from "./FakeSysfs.ts"

const usb = "pci0000:00/0000:00:14.0/usb1"

/** A USB camera: its folder is that of an interface, whose parent is the device. */
const usbNode = (
  port: string,
  { serial, usbInterface = "00", ...more }: { serial?: string; usbInterface?: string; index?: number } = {}
): FakeNode => ({
  device: `${usb}/${port}/${port}:1.${Number.parseInt(usbInterface, 16)}`,
  attributes: {
    // the hub that everything is plugged into is a USB device too
    [`${usb}/idVendor`]: "1d6b",
    [`${usb}/serial`]: "0000:00:14.0",
    [`${usb}/${port}/idVendor`]: "046d",
    [`${usb}/${port}/idProduct`]: "0825",
    ...(serial === undefined ? {} : { [`${usb}/${port}/serial`]: serial }),
    [`${usb}/${port}/${port}:1.${Number.parseInt(usbInterface, 16)}/bInterfaceNumber`]: usbInterface
  },
  ...more
})

const withSerial = "usb:046d:0825:5A9C1F20"

const cases: ReadonlyArray<[title: string, node: FakeNode, bus: string, identity: string]> = [
  ["a USB camera with a serial number", usbNode("1-2", { serial: "5A9C1F20" }), "usb-x-2", `${withSerial}:0`],
  ["the same one at another port", usbNode("1-4", { serial: "5A9C1F20" }), "usb-x-4", `${withSerial}:0`],
  [
    "a second camera in the same case",
    usbNode("1-2", { serial: "5A9C1F20", usbInterface: "0c" }),
    "usb-x-2",
    `${withSerial}:12`
  ],
  [
    "a second stream of the same interface",
    usbNode("1-2", { serial: "5A9C1F20", index: 2 }),
    "usb-x-2",
    `${withSerial}:0.2`
  ],
  ["a USB camera without a serial number", usbNode("1-2"), "usb-0000:00:14.0-2", "bus:usb-0000:00:14.0-2:0"],
  [
    "one whose serial number is blank",
    usbNode("1-2", { serial: " " }),
    "usb-0000:00:14.0-2",
    "bus:usb-0000:00:14.0-2:0"
  ],
  [
    "the infrared camera of a laptop without a serial number",
    usbNode("1-2", { usbInterface: "02" }),
    "usb-0000:00:14.0-2",
    "bus:usb-0000:00:14.0-2:2"
  ],
  ["a vivid node", { device: "platform/vivid.0", index: 3 }, "platform:vivid-000", "bus:platform:vivid-000:3"],
  ["a driver that names no bus", { device: "platform/soc/fe801000.csi" }, "", "bus:platform/soc/fe801000.csi:0"]
]

describe("a camera's identity", () => {
  it.effect.each(cases)("%s", ([, node, bus, expected]) =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.plug("video7", node)
      const identities = makeIdentities()
      identities.claim("video7", yield* readPlace(kernel.sys, "video7"))
      assert.strictEqual(identities.identify("video7", bus).identity, expected)
    })
  )

  it.effect("does not depend on the node's number", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.plug("video0", usbNode("1-2", { serial: "5A9C1F20" }))
      const before = yield* readPlace(kernel.sys, "video0")
      yield* kernel.unplug("video0")
      yield* kernel.plug("video12", usbNode("1-2", { serial: "5A9C1F20" }))
      assert.deepStrictEqual(yield* readPlace(kernel.sys, "video12"), before)
    })
  )

  it.effect("is the bus alone where there is no sysfs", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      const identities = makeIdentities()
      identities.claim("video0", yield* readPlace(kernel.sys, "video0"))
      assert.strictEqual(identities.identify("video0", "usb-x-1").identity, "bus:usb-x-1:0")
    })
  )
})

describe("two cameras with one serial number", () => {
  const twin: Place = { serial: "usb:a:b:0001:0", slot: "0", path: "" }
  const byPort = (port: number, serialShared = true) => ({ identity: `bus:usb-x-${port}:0`, serialShared })
  const bySerial = { identity: "usb:a:b:0001:0", serialShared: false }

  it("are both known by their ports when they are found together", () => {
    const identities = makeIdentities()
    identities.claim("video0", twin)
    identities.claim("video2", twin)
    assert.deepStrictEqual(identities.identify("video0", "usb-x-1"), byPort(1))
    assert.deepStrictEqual(identities.identify("video2", "usb-x-2"), byPort(2))
    // and the one that stays alone, or comes back, is who it was
    identities.release("video0")
    identities.release("video2")
    identities.claim("video0", twin)
    assert.deepStrictEqual(identities.identify("video0", "usb-x-2"), byPort(2))
  })

  it("leave the name to the first when the second comes later", () => {
    const identities = makeIdentities()
    identities.claim("video0", twin)
    assert.deepStrictEqual(identities.identify("video0", "usb-x-1"), bySerial)
    identities.claim("video2", twin)
    assert.deepStrictEqual(identities.identify("video2", "usb-x-2"), byPort(2))
    identities.release("video0")
    identities.claim("video0", twin)
    assert.deepStrictEqual(identities.identify("video0", "usb-x-1"), bySerial)
  })

  it("are not one camera unplugged and plugged in elsewhere", () => {
    const identities = makeIdentities()
    for (const port of [1, 2, 3]) {
      identities.claim("video0", twin)
      assert.deepStrictEqual(identities.identify("video0", `usb-x-${port}`), bySerial)
      identities.release("video0")
    }
  })

  it("and one position remain two cameras", () => {
    const identities = makeIdentities()
    identities.claim("video0", { slot: "0", path: "" })
    identities.claim("video1", { slot: "0", path: "" })
    assert.notStrictEqual(identities.identify("video0", "x").identity, identities.identify("video1", "x").identity)
  })
})
