import { assert, describe, it } from "@effect/vitest"
import { syntheticInput } from "../../src/device/SyntheticInput.ts"
import type { FfmpegProcess } from "../../src/process/Ffmpeg.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import { delayMeter } from "../../src/stream/DelayMeter.ts"
import type { Run } from "../../src/stream/LiveStream.ts"

const fps = 25
const firstFrame = 5_000_000

const meterOf = (input = v4l2Input("/dev/video0"), began = { firstFrame, reportsEnds: true }) => {
  const run: Pick<Run, "delay"> = { delay: undefined }
  const measure = delayMeter(run, { fps, input }, { began: () => began } satisfies Pick<FfmpegProcess, "began">)
  /** a report that so many frames are out, so many milliseconds after the last of them was made */
  const report = (frames: number, age: number) => {
    const made = firstFrame + ((frames - 1) * 1000) / fps
    const outTimeUs = ((began.reportsEnds ? frames : frames - 1) * 1_000_000) / fps
    measure({ frame: frames, outTimeUs }, { wall: made + age, monotonic: made + age })
    return run.delay
  }
  return { report }
}

describe("how old frames are when MediaMTX has them", () => {
  it("is what the sooner ones of the last ten seconds' reports say, and no single one", () => {
    const { report } = meterOf()
    assert.approximately(report(12, 61) ?? 0, 61, 0.01)
    for (const [count, age] of [33, 70, 50, 45, 41].entries()) report(25 + 12 * count, age)
    assert.approximately(report(100, 60) ?? 0, 41, 0.01)
    for (let count = 0; count < 20; count++) report(112 + 12 * count, 45)
    assert.approximately(report(400, 3) ?? 0, 45, 0.01)
  })

  it("is the same whether FFmpeg reports when its last frame begins or ends", () => {
    assert.approximately(meterOf(undefined, { firstFrame, reportsEnds: false }).report(25, 33) ?? 0, 33, 0.01)
  })

  it("is not told while no frame is out, nor by a clock that cannot be the one that stamped them", () => {
    const { report } = meterOf()
    assert.isUndefined(report(0, 10))
    assert.isUndefined(report(25, 3_600_000))
    assert.isUndefined(report(37, -40))
  })

  it("goes by the clock that stamps the frames of this input", () => {
    const run: Pick<Run, "delay"> = { delay: undefined }
    const began = { firstFrame, reportsEnds: true }
    const measure = delayMeter(run, { fps, input: syntheticInput(0) }, { began: () => began })
    measure({ frame: 1, outTimeUs: 40_000 }, { wall: firstFrame + 20, monotonic: 7 })
    assert.strictEqual(run.delay, 20)
  })
})
