import { describe, expect, it } from "vitest"
import { columnsToFit, inOrder, movedTo } from "../../src/console/views/wallPlan.ts"

const named = (...devices: ReadonlyArray<string>) => devices.map((device) => ({ device }))

describe("the wall", () => {
  it.each([
    [1, 1920, 1080, 1],
    [2, 1920, 1080, 2],
    [2, 400, 900, 1],
    [4, 1920, 1080, 2],
    [16, 1920, 1080, 4],
    [9, 300, 2000, 1],
    [0, 1920, 1080, 1]
  ])("of %i cameras on %i × %i has %i columns", (count, width, height, columns) => {
    expect(columnsToFit(count, width, height)).toBe(columns)
  })

  it("counts what stands under each picture", () => {
    // two rows of bars would leave too little of the height
    expect(columnsToFit(2, 800, 640, 4 / 3, 0)).toBe(1)
    expect(columnsToFit(2, 800, 640, 4 / 3, 100)).toBe(2)
  })

  it("is in the order that is remembered, with new cameras behind", () => {
    expect(inOrder(named("camera0", "camera1", "camera2"), ["camera2", "camera9", "camera0"])).toEqual(
      named("camera2", "camera0", "camera1")
    )
  })

  it("moves a camera to another's place", () => {
    expect(movedTo(["a", "b", "c"], "a", "c")).toEqual(["b", "c", "a"])
    expect(movedTo(["a", "b", "c"], "c", "a")).toEqual(["c", "a", "b"])
    expect(movedTo(["a", "b", "c"], "b", "x")).toEqual(["a", "b", "c"])
  })
})
