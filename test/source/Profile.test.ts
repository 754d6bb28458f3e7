import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import type { Sps } from "../../src/media/Sps.ts"
import { conforms, fitFrame, maxFrameRate } from "../../src/source/Profile.ts"

const sps: Sps = {
  profileIdc: 66,
  constraintSet1: true,
  levelIdc: 30,
  chromaFormatIdc: 1,
  progressive: true,
  hasBFrames: false,
  width: 640,
  height: 480,
  framesPerSecond: 30
}

describe("level 3.0", () => {
  it.each([
    [640, 480, 33.75],
    [720, 576, 25],
    [720, 480, 30],
    [352, 288, 102.27],
    [1280, 720, 0],
    [1920, 1080, 0],
    [800, 600, 0]
  ])("allows %i × %i at up to %d frames a second", (width, height, rate) => {
    assert.closeTo(maxFrameRate("stanag4406", width, height), rate, 0.01)
  })

  it.each([
    [640, 480, 640, 480],
    [641, 481, 640, 480],
    [1, 1, 2, 2]
  ])("takes %i × %i as %i × %i", (width, height, fittedWidth, fittedHeight) => {
    assert.deepEqual(fitFrame("stanag4406", width, height), { width: fittedWidth, height: fittedHeight })
  })

  it("fits any frame: even, allowed, about of its shape, and nearly as large as may be", () => {
    fc.assert(
      fc.property(fc.integer({ min: 64, max: 8192 }), fc.integer({ min: 64, max: 8192 }), (width, height) => {
        const fitted = fitFrame("stanag4406", width, height)
        assert.strictEqual((fitted.width % 2) + (fitted.height % 2), 0)
        assert.isAbove(maxFrameRate("stanag4406", fitted.width, fitted.height), 0)
        assert.isAtMost(fitted.width, width)
        assert.isAtMost(fitted.height, height)
      })
    )
    const hd = fitFrame("stanag4406", 1920, 1080)
    assert.closeTo(hd.width / hd.height, 16 / 9, 0.02)
    assert.isAbove(Math.ceil(hd.width / 16) * Math.ceil(hd.height / 16), 1500)
  })

  it("is not asked for without a profile", () => {
    assert.strictEqual(maxFrameRate("none", 7680, 4320), Number.POSITIVE_INFINITY)
    assert.deepEqual(fitFrame("none", 1920, 1080), { width: 1920, height: 1080 })
  })
})

describe("stanag4406", () => {
  it("is met by constrained baseline 3.0, also when the stream tells no rate", () => {
    assert.isTrue(conforms("stanag4406", sps))
    assert.isTrue(conforms("stanag4406", { ...sps, framesPerSecond: 0, levelIdc: 21 }))
  })

  it.each<[string, Partial<Sps>]>([
    ["baseline that is not constrained", { constraintSet1: false }],
    ["main", { profileIdc: 77 }],
    ["high", { profileIdc: 100 }],
    ["level 3.1", { levelIdc: 31 }],
    ["4:2:2", { chromaFormatIdc: 2 }],
    ["interlaced", { progressive: false }],
    ["a frame that is too large", { width: 1280, height: 720 }],
    ["too many frames a second", { framesPerSecond: 60 }]
  ])("is not met by %s", (_name, change) => {
    assert.isFalse(conforms("stanag4406", { ...sps, ...change }))
  })
})
