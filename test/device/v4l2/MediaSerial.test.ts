import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { Kernel, KernelError } from "../../../src/device/v4l2/Kernel.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { V4l2Nodes } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { usbCamera } from "../../../testing/Sysfs.ts"
import { fakeKernel } from "./FakeSysfs.ts"

interface Media {
  readonly driver?: string
  /** what the device has for a serial number, of which the answer takes 39 bytes */
  readonly serial: string
  readonly refuses?: boolean
}

/** A camera whose serial number sysfs keeps back until the device's other drivers are bound, and its media device. */
const bench = Effect.fnUntraced(function* (media?: Media) {
  const files = yield* fakeKernel
  const camera = usbCamera({ port: "1-2" })
  yield* files.plug("video0", camera)
  if (media !== undefined) yield* Effect.promise(() => mkdir(join(files.sys, "devices", camera.device, "media3")))
  const bound = yield* Deferred.make<string>()
  const opened: Array<string> = []
  // struct media_device_info: driver, model, serial, bus_info, each ending with a zero, and 34 numbers
  const answer = (request: number, argument: Buffer): boolean => {
    assert.strictEqual(request, 0xc1007c00)
    assert.strictEqual(argument.length, 16 + 32 + 40 + 32 + 34 * 4)
    argument.write(media?.driver ?? "uvcvideo", 0, 15, "utf8")
    argument.write(media?.serial ?? "", 48, 39, "utf8")
    return true
  }
  const read = Deferred.await(bound)
  const kernel = Layer.succeed(Kernel, {
    prepare: Effect.void,
    open: (path) => {
      opened.push(path)
      return media?.refuses === true
        ? Effect.fail(new KernelError({ code: "EACCES" }))
        : Effect.succeed({
            ioctl: () => 25,
            ioctlAsync: (request: number, argument: Buffer) => Effect.sync(() => answer(request, argument)),
            idle: Effect.void,
            addressOf: () => 0n
          })
    },
    read: () => read,
    readSoon: () =>
      Effect.timeoutOrElse(read, {
        duration: "40 millis",
        orElse: () => Effect.fail(new KernelError({ code: "LATE" }))
      })
  })
  const roots = KernelFiles.layerAt({ dev: "/dev", sys: files.sys, proc: "/nowhere" })
  const nodes = yield* Effect.provide(V4l2Nodes, V4l2Nodes.layer.pipe(Layer.provide([kernel, roots])))
  const asked = yield* Effect.forkChild(nodes.location("video0"), { startImmediately: true })
  return {
    opened,
    wait: TestClock.adjust("1 second"),
    isKnown: () => asked.pollUnsafe() !== undefined,
    bind: (serial: string) => Deferred.succeed(bound, serial),
    identity: Effect.map(Fiber.join(asked), ({ usb }) => usb)
  }
})

const identity = (serial: string) => ({
  position: "bus:usb-0000:00:14.0-2:046d:0825:0",
  serial: `usb:046d:0825:${serial}:0`
})

describe("a USB camera whose microphone's driver is not bound yet", () => {
  it.effect("is known by the serial number that its media device has", () =>
    Effect.gen(function* () {
      const { identity: found, opened, wait } = yield* bench({ serial: "5A9C1F20" })
      yield* wait
      assert.deepStrictEqual(yield* found, identity("5A9C1F20"))
      assert.deepStrictEqual(opened, ["/dev/media3"])
    })
  )

  it.effect("has none where the device has none", () =>
    Effect.gen(function* () {
      const { identity: found, wait } = yield* bench({ serial: "" })
      yield* wait
      assert.deepStrictEqual(yield* found, { position: "bus:usb-0000:00:14.0-2:046d:0825:0" })
    })
  )

  const others: ReadonlyArray<[title: string, media: Media | undefined]> = [
    ["there is no media device", undefined],
    ["it may not be opened", { serial: "5A9C1F20", refuses: true }],
    ["it has no room for the whole number", { serial: "0123456789".repeat(4) }],
    ["it is another driver's", { serial: "5A9C1F20", driver: "other" }]
  ]
  it.effect.each(others)("is waited for where %s", ([, media]) =>
    Effect.gen(function* () {
      const { bind, identity: found, isKnown, wait } = yield* bench(media)
      yield* wait
      assert.isFalse(isKnown())
      yield* bind("FROM-SYSFS")
      assert.deepStrictEqual(yield* found, identity("FROM-SYSFS"))
    })
  )
})

it.effect("the media device of a camera without other drivers is left alone", () =>
  Effect.gen(function* () {
    const { bind, identity: found, opened, wait } = yield* bench({ serial: "5A9C1F20" })
    yield* bind("FROM-SYSFS")
    assert.deepStrictEqual(yield* found, identity("FROM-SYSFS"))
    yield* wait
    assert.deepStrictEqual(opened, [])
  })
)
