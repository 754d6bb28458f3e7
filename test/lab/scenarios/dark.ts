import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { frameNumberOf, isDark } from "../camera/FrameNumber.ts"
import { mjpg, yuyv } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { mediaMtxStopped, snapshotFile } from "../vm/Steps.ts"

export default scenario({
  title: "a camera that wakes up in the dark has no dark snapshot, neither by its stream nor directly",
  cameras: {
    jpeg: { name: "Dark JPEG", serial: "J-1", formats: [mjpg(320, 240, 15)], darkFrames: 12 },
    raw: { name: "Dark raw", serial: "R-1", formats: [yuyv(320, 240, 15)], darkFrames: 12 }
  },
  settings: {},
  play: Effect.fnUntraced(function* (lab) {
    const jpeg = yield* lab.plug("jpeg")
    const raw = yield* lab.plug("raw")
    const check = Effect.fnUntraced(function* (device: string, tier: string) {
      const { filename, tier_name } = yield* lab.call().take_snapshot({ device })
      assert.equal(tier_name, tier)
      const file = yield* snapshotFile(lab, filename)
      assert.equal(yield* isDark(file), false)
      yield* frameNumberOf(file)
      return file
    })
    yield* check(jpeg, "activated")
    yield* check(raw, "activated")
    yield* lab.call().stop_streaming({ device: jpeg })
    yield* lab.call().stop_streaming({ device: raw })

    yield* mediaMtxStopped(lab)
    const direct = yield* check(jpeg, "direct")
    assert.ok(lab.camera("jpeg").sentThis(direct), "the file is not what the camera sent")
    yield* check(raw, "direct")
  })
})
