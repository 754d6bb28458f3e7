import { assert, describe, it } from "@effect/vitest"
import { syntheticInput } from "../../src/device/SyntheticInput.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import { delayMeter } from "../../src/stream/DelayMeter.ts"
import type { Run } from "../../src/stream/LiveStream.ts"

const fps = 25
const frame = 1000 / fps
const firstFrame = 5_000_000

/** `library`: of FFmpeg 5 */
const meterOf = ({ deliversJpeg = false, input = v4l2Input("/dev/video0"), library = 59 } = {}) => {
  const run: Pick<Run, "delay"> = { delay: undefined }
  const measure = delayMeter(run, { deliversJpeg, fps, input }, { began: () => ({ firstFrame, library }) })
  /** reports, so many milliseconds after it was made, that this frame is out; `ahead`: milliseconds that FFmpeg adds */
  return (count: number, age: number, ahead = 0) => {
    const outTimeUs = (count * frame + ahead) * 1000
    const moment = firstFrame + count * frame + age
    measure({ frame: count, outTimeUs }, { wall: moment, monotonic: moment })
    return run.delay ?? Number.NaN
  }
}

describe("how old frames are when MediaMTX has them", () => {
  it("is what the reports of the last ten seconds say that are in the middle, and no single one", () => {
    const report = meterOf()
    report(12, 61)
    for (const [count, age] of [33, 70, 50, 45].entries()) report(25 + 12 * count, age)
    assert.approximately(report(100, 41), 50, 0.01)
    for (let count = 0; count < 20; count++) report(112 + 12 * count, 45)
    assert.approximately(report(400, 3), 45, 0.01)
  })

  it("is the same where FFmpeg 5 adds a frame's time: sometimes as it encodes pictures, always as it copies them", () => {
    const encoding = meterOf()
    for (let count = 1; count < 20; count++) encoding(count * 12, 33, count % 5 === 0 ? frame : 0)
    assert.approximately(encoding(300, 33), 33, 0.01)
    const copying = meterOf({ deliversJpeg: true })
    const later = meterOf({ deliversJpeg: true, library: 60 })
    for (const count of [13, 25]) {
      copying(count, 33, frame)
      later(count, 33)
    }
    assert.approximately(copying(38, 33, frame), 33, 0.01)
    assert.approximately(later(38, 33), 33, 0.01)
  })

  it("is not told by an FFmpeg whose reports do not tell of the newest frame", () => {
    const report = meterOf({ library: 61 })
    for (const count of [13, 25, 38]) assert.isNaN(report(count, 33))
  })

  it("is not told while no frame is out, nor by a clock that cannot be the one that stamped them", () => {
    assert.isNaN(meterOf()(0, 10))
    for (const age of [3_600_000, -10]) {
      const report = meterOf()
      for (const count of [13, 25, 38]) assert.isNaN(report(count, age))
    }
  })

  it("is not told by the first two reports: their frames may have waited until MediaMTX took them", () => {
    const report = meterOf()
    assert.isNaN(report(12, 340))
    assert.isNaN(report(25, 20))
    assert.approximately(report(38, 15), 20, 0.01)
  })

  it("is told by no report after which no frame was out", () => {
    const report = meterOf()
    for (const count of [1, 13, 25]) report(count, 40)
    for (let count = 1; count < 30; count++) assert.approximately(report(25, 40 + count * 50), 40, 0.01)
  })

  it("goes by the clock that stamps the frames of this input", () => {
    for (const [input, clock] of [
      [syntheticInput(0), "wall"],
      [v4l2Input("/dev/video0"), "monotonic"]
    ] as const) {
      const run: Pick<Run, "delay"> = { delay: undefined }
      const began = { firstFrame, library: 59 }
      const measure = delayMeter(run, { deliversJpeg: false, fps, input }, { began: () => began })
      for (const count of [1, 2, 3]) {
        const made = count * frame
        measure({ frame: count, outTimeUs: made * 1000 }, { wall: 7, monotonic: 7, [clock]: firstFrame + made + 20 })
      }
      assert.strictEqual(run.delay, 20)
    }
  })
})
