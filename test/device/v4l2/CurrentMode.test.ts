import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Kernel } from "../../../src/device/v4l2/Kernel.ts"
import { V4l2Controls } from "../../../src/device/v4l2/V4l2Controls.ts"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { type PlayedDriver, driverIoctl } from "../../../testing/V4l2Driver.ts"

const modeOf = (driver: PlayedDriver) => {
  const ioctl = driverIoctl({ deviceCaps: 0x04200001, ...driver })
  const calls = Layer.succeed(KernelCalls, {
    open: () => Promise.resolve(9),
    close: () => undefined,
    ioctls: () =>
      Promise.resolve({
        ioctl: () => ioctl,
        ioctlAsync: (_fd: number, request: number, argument: Buffer) => Promise.resolve(ioctl(request, argument) === 0),
        addressOf: () => 0n
      })
  })
  const controls = V4l2Controls.layer.pipe(Layer.provide(Kernel.layer.pipe(Layer.provide([calls, KernelFiles.layer]))))
  return Effect.flatMap(V4l2Controls, ({ mode }) => mode("/dev/video0")).pipe(Effect.provide(controls))
}

describe("what a camera is set to deliver now", () => {
  const current = { width: 1280, height: 720, fourcc: "MJPG" }
  const mode = { pixelFormat: "MJPG", width: 1280, height: 720 }

  it.effect("is its format, size and rate, as far as its driver tells them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* modeOf({ current: { ...current, interval: [1, 15] } }), { ...mode, rate: 15 })
      assert.deepStrictEqual(yield* modeOf({ current }), mode)
      assert.isUndefined(yield* modeOf({}))
    })
  )

  it.effect("is asked of a camera of several planes by its own type", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* modeOf({ deviceCaps: 0x04201000, type: 9, current }), mode)
    })
  )
})
