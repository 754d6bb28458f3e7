import { assert, describe, it } from "vitest"
import { spsOf } from "../../src/media/Sdp.ts"

const sps = "Z0LAHtkAoD2wEQAAAwABAAADADIPFi5I"
const pps = "aM48gA=="
const sdp = (parameters: string) =>
  ["v=0", "m=video 0 RTP/AVP 96", `a=fmtp:96 packetization-mode=1${parameters}`, "a=control:trackID=0", ""].join("\r\n")

describe("the SPS of a stream's description", () => {
  it("is the parameter set of its type, wherever it stands among them", () => {
    for (const sets of [`${sps},${pps}`, `${pps},${sps}`, sps]) {
      const found = spsOf(sdp(`; sprop-parameter-sets=${sets}; profile-level-id=42C01E`))
      assert.strictEqual(found && Buffer.from(found).toString("base64"), sps)
    }
  })

  it("is missing where the encoder gives none beforehand", () => {
    assert.isUndefined(spsOf(sdp("")))
    assert.isUndefined(spsOf(sdp(`; sprop-parameter-sets=${pps}`)))
    assert.isUndefined(spsOf(""))
  })
})
