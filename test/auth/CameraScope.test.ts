import { describe, expect, it } from "vitest"
import { inScope, isWithin } from "../../src/auth/CameraScope.ts"

describe("the cameras that a user may see", () => {
  it("are those that are named, or match a glob; all where nothing is said", () => {
    expect(inScope(undefined, "camera7")).toBe(true)
    expect(inScope([], "camera7")).toBe(false)
    expect(inScope(["camera1", "camera7"], "camera7")).toBe(true)
    expect(inScope(["camera1"], "camera10")).toBe(false)
    expect(inScope(["camera1*"], "camera10")).toBe(true)
    expect(inScope(["camera?"], "camera10")).toBe(false)
    expect(inScope(["*"], "camera10")).toBe(true)
  })

  it("lie within others only where that is sure", () => {
    const cases: ReadonlyArray<
      readonly [ReadonlyArray<string> | undefined, ReadonlyArray<string> | undefined, boolean]
    > = [
      [undefined, undefined, true],
      [["camera0"], undefined, true],
      [undefined, ["camera0"], false],
      [undefined, ["*"], false],
      [["camera0"], ["camera0", "camera1"], true],
      [["camera0", "camera2"], ["camera0", "camera1"], false],
      [["camera12"], ["camera1*"], true],
      [["camera1*"], ["camera1*"], true],
      [["camera12*"], ["camera1*"], false],
      [["camera*"], ["*"], true],
      [[], ["camera0"], true]
    ]
    for (const [inner, outer, expected] of cases) expect(isWithin(inner, outer), `${inner} ${outer}`).toBe(expected)
  })
})
