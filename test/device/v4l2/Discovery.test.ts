import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { basename } from "node:path"
import { Settings } from "../../../src/config/Settings.ts"
import { Devices } from "../../../src/device/Devices.ts"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { Kernel } from "../../../src/device/v4l2/Kernel.ts"
import { NodeWatch } from "../../../src/device/v4l2/NodeWatch.ts"
import * as V4l2Cameras from "../../../src/device/v4l2/V4l2Cameras.ts"
import { V4l2Nodes } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { testSettings } from "../../support/TestSettings.ts"
import { devicesInMemory } from "../InMemory.ts"
import { driverIoctl } from "../../../testing/V4l2Driver.ts"
import { usbCamera } from "../../../testing/Sysfs.ts"
import { fakeKernel } from "./FakeSysfs.ts"

/** From the event in /dev to the registry, on a kernel of our own: only its system calls on nodes are made up. */
const bench = Effect.gen(function* () {
  const kernel = yield* fakeKernel
  yield* kernel.prepare
  const hanging = new Map<number, () => void>()
  const opened = new Map<number, string>()
  let next = 3
  let loads = 0
  const ioctlOf = (fd: number) => {
    const node = opened.get(fd) ?? ""
    return driverIoctl({
      card: `Camera ${node}`,
      deviceCaps: 0x04200001,
      formats: [{ fourcc: "MJPG", sizes: [[640, 480]], intervals: [[1, 30]] }]
    })
  }
  const scope = yield* Scope.fork(yield* Effect.scope)
  const calls = Layer.succeed(KernelCalls, {
    open: (path) => {
      const node = basename(path)
      const fd = next++
      opened.set(fd, node)
      // every video9x hangs until the test ends it
      return node.startsWith("video9")
        ? new Promise((resolve) => hanging.set(fd, () => resolve(fd)))
        : Promise.resolve(fd)
    },
    close: (fd) => void opened.delete(fd),
    ioctls: () => {
      loads++
      return Promise.resolve({
        ioctl: ioctlOf,
        ioctlAsync: (fd, request, argument) => Promise.resolve(ioctlOf(fd)(request, argument) === 0),
        addressOf: () => 0n
      })
    }
  })
  const context = yield* Layer.buildWithScope(
    V4l2Cameras.layerNodes.pipe(
      Layer.provideMerge(devicesInMemory),
      Layer.provide([V4l2Nodes.layer.pipe(Layer.provide(Kernel.layer.pipe(Layer.provide(calls)))), NodeWatch.layer]),
      Layer.provide([
        KernelFiles.layerAt({ dev: kernel.dev, sys: kernel.sys, proc: "/nowhere" }),
        Layer.succeed(Settings, testSettings({}))
      ])
    ),
    scope
  )
  const devices = yield* Effect.provide(Devices, Layer.succeedContext(context))
  const plug = (number: number) =>
    kernel.plug(`video${number}`, usbCamera({ port: `1-${number}`, serial: `SN${number}` }))
  const connected = () =>
    devices
      .list()
      .filter(({ status }) => status === "CONNECTED")
      .map(({ name }) => name)
  return {
    devices,
    plug,
    unplug: (number: number) => kernel.unplug(`video${number}`),
    connected,
    close: Scope.close(scope, Exit.void),
    opened,
    loads: () => loads,
    endHanging: Effect.sync(() => hanging.forEach((end) => end())),
    until: (condition: () => boolean) => Stream.runHead(Stream.filter(devices.changes, condition))
  }
})

describe("the way from a kernel event to a camera", () => {
  it.effect("is not longer for the eleventh camera when ten hang", () =>
    Effect.gen(function* () {
      const { connected, plug, until } = yield* bench
      for (const number of [90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 1]) yield* plug(number)
      // the clock stands still: nobody's deadline has to pass first
      yield* until(() => connected().length === 1)
      assert.deepStrictEqual(connected(), ["Camera video1"])
    })
  )

  it.effect("begins before the first camera comes: what asks the kernel is loaded by then, and once", () =>
    Effect.gen(function* () {
      const { connected, devices, loads, plug, until } = yield* bench
      yield* devices.awaitSettled
      assert.strictEqual(loads(), 1)
      yield* plug(1)
      yield* until(() => connected().length === 1)
      assert.strictEqual(loads(), 1)
    })
  )

  it.effect("leads to the true state after 32 cameras come and go, and leaves no node open", () =>
    Effect.gen(function* () {
      const { close, connected, devices, endHanging, opened, plug, unplug, until } = yield* bench
      const numbers = Array.from({ length: 32 }, (_, n) => n)
      for (const number of [90, 91]) yield* plug(number)
      yield* Effect.forEach(
        numbers,
        Effect.fnUntraced(function* (number) {
          for (let n = 0; n < number % 3; n++) {
            yield* plug(number)
            yield* unplug(number)
          }
          if (number % 2 === 0) yield* plug(number)
        }),
        { concurrency: 8, discard: true }
      )
      for (const number of [90, 91]) yield* unplug(number)
      yield* plug(40)
      const names = [...numbers.filter((number) => number % 2 === 0), 40].map((number) => `Camera video${number}`)
      yield* until(() => connected().length === names.length && names.every((name) => connected().includes(name)))
      assert.isAtMost(devices.list().length, 33)
      yield* close
      yield* endHanging
      yield* Effect.yieldNow
      assert.deepStrictEqual([connected(), [...opened]], [[], []])
    })
  )
})
