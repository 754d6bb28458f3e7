import { assert, describe, it } from "@effect/vitest"
import type { ControlInfo } from "../../../src/device/Control.ts"
import { extControls, menuPlaces } from "../../../src/device/v4l2/ControlIoctl.ts"

const control = (more: Partial<ControlInfo>): ControlInfo => ({
  id: 1,
  name: "from a broken driver",
  type: "menu",
  minimum: 0n,
  maximum: 2n ** 62n,
  step: 1n,
  default: 0n,
  menu: [],
  flags: new Set(),
  ...more
})

describe("a driver that names absurd ranges", () => {
  it("costs no more than the largest menu that there can be", () => {
    assert.lengthOf(menuPlaces(control({})), 64)
    assert.deepStrictEqual(menuPlaces(control({ minimum: 2n, maximum: 1n })), [])
    assert.deepStrictEqual(menuPlaces(control({ type: "integer" })), [])
  })

  it("costs no more memory than a long text", () => {
    assert.isAtMost(extControls(control({ type: "string" }), () => 0n).length, 70_000)
  })
})
