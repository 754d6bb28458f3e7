import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { parameterSetsOf, parseSdp, spsOf } from "../../src/media/Sdp.ts"

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

describe("the parameter sets of a stream's description", () => {
  const setsOf = (encoding: string, fmtp: string) => {
    const lines = ["m=video 0 RTP/AVP 96", `a=rtpmap:96 ${encoding}/90000`, `a=fmtp:96 ${fmtp}`]
    return parseSdp(lines.join("\n")).media.flatMap(parameterSetsOf)
  }
  const many = (set: string, count: number) => Array<string>(count).fill(set).join(",")

  it("are at most 16, with 64 KiB together", () => {
    assert.lengthOf(setsOf("H264", `sprop-parameter-sets=${many(pps, 12_000)}`), 16)
    assert.lengthOf(setsOf("H265", `sprop-vps=${many(pps, 10)}; sprop-sps=${many(pps, 10)}`), 16)
    const large = Buffer.alloc(30_000, 7).toString("base64")
    assert.lengthOf(setsOf("H264", `sprop-parameter-sets=${many(large, 4)},${pps}`), 2)
    assert.lengthOf(setsOf("H264", `sprop-parameter-sets=${sps},${pps}`), 2)
  })
})

describe("a camera's description", () => {
  it("tells its streams by what they carry", () => {
    const { control, media } = parseSdp(
      [
        ...["v=0", "a=control:rtsp://c/live/", "m=video 0 RTP/AVP 96 97", "a=framerate:25.0", "a=rtpmap:96 H265/90000"],
        ...["a=control:trackID=1", "m=audio 0 RTP/AVP 8", "m=audio 0 RTP/AVP 0", "a=sendonly"],
        ...["m=application 0 RTP/AVP 107", "a=rtpmap:107 SMPTE336M/90000", "m=video 0 RTP/SAVPF 33", "m=video 9 UDP x"]
      ].join("\n")
    )
    assert.strictEqual(control, "rtsp://c/live/")
    assert.deepEqual(
      media.map(({ clockRate, encoding, isForUs, kind }) => [kind, encoding, clockRate, isForUs]),
      [
        ["video", "h265", 90_000, false],
        ["audio", "pcma", 8000, false],
        ["audio", "pcmu", 8000, true],
        ["application", "smpte336m", 90_000, false],
        ["video", "mp2t", 90_000, false]
      ]
    )
    assert.strictEqual(media[0]?.frameRate, 25)
    assert.strictEqual(media[0]?.control, "trackID=1")
  })

  it("of any text is read without an error", () => {
    const line = fc.oneof(
      fc.constantFrom(
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 sprop-parameter-sets=,,Z0I=",
        "a=control:*"
      ),
      fc.string({ maxLength: 40 })
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const { media } = parseSdp(lines.join("\r\n"))
        for (const one of media) parameterSetsOf(one)
        assert.isAtMost(media.length, 32)
      }),
      { numRuns: 2000 }
    )
  })
})
