import { assert, describe, it } from "@effect/vitest"
import { currentOf } from "../../src/rpc/CameraView.ts"

describe("what is set on a camera now", () => {
  const current = { pixelFormat: "MJPG", width: 1280, height: 720 }

  it("is its format, size and rate, as far as the driver tells them", () => {
    const shown = { format: "MJPG", resolution: "1280x720" }
    assert.deepStrictEqual(currentOf({ ...current, rate: 29.97 }), {
      current: { ...shown, fps: 29.97 }
    })
    assert.deepStrictEqual(currentOf(current), { current: shown })
    assert.deepStrictEqual(currentOf(undefined), {})
  })
})
