import { assert, describe, it } from "@effect/vitest"
import type { Device } from "../../src/device/Device.ts"
import { currentOf } from "../../src/rpc/CameraView.ts"
import { found } from "../device/InMemory.ts"

const device = (more: Partial<Device>): Device => ({ ...found("usb:a"), id: "camera0", status: "CONNECTED", ...more })

describe("what is set on a camera now", () => {
  const current = { pixelFormat: "MJPG", width: 1280, height: 720 }

  it("is its format, size and rate, as far as the driver tells them", () => {
    const shown = { format: "MJPG", resolution: "1280x720" }
    assert.deepStrictEqual(currentOf(device({ current: { ...current, rate: 29.97 } })), {
      current: { ...shown, fps: 29.97 }
    })
    assert.deepStrictEqual(currentOf(device({ current })), { current: shown })
    assert.deepStrictEqual(currentOf(device({})), {})
  })

  it("is not told of a camera that is away", () => {
    assert.deepStrictEqual(currentOf(device({ current, status: "DISCONNECTED" })), {})
  })
})
