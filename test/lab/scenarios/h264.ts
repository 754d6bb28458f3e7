import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { h264, mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { streaming } from "../vm/Steps.ts"

const formats = [mjpg(320, 240, 15), h264(320, 240, 15)]

export default scenario({
  title: "a camera's own H.264 is passed through where it meets the profile, and only there",
  cameras: {
    fits: { name: "Fits", serial: "F-1", formats },
    exceeds: { name: "Exceeds", serial: "E-1", formats, h264: "high" }
  },
  play: Effect.fnUntraced(function* (lab) {
    const fits = yield* lab.plug("fits")
    const own = yield* streaming(lab, fits)
    assert.deepEqual([own.encoding?.encoder, own.codec.conformant], ["copy", true])
    assert.match(own.encoding?.input ?? "", /^H264/)
    const taken = yield* lab.call().take_snapshot({ device: fits })
    assert.equal(taken.tier_name, "live")
    yield* lab.call().stop_streaming({ device: fits })

    const exceeds = yield* lab.plug("exceeds")
    const encoded = yield* streaming(lab, exceeds)
    assert.deepEqual([encoded.encoding?.encoder, encoded.codec.conformant], ["libx264", true])
    assert.match(encoded.encoding?.input ?? "", /^MJPG/)
    assert.match(encoded.encoding?.reason ?? "", /high/i)
  })
})
