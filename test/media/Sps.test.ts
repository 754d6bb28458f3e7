import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { nalsIn, parseSps, profileName, spsIn } from "../../src/media/Sps.ts"
import { conforms } from "../../src/source/Profile.ts"

/** SPS NAL units that libx264 wrote (FFmpeg 5.1: `-c:v libx264 -profile:v … -level:v …` of testsrc2 at 25/s). */
const written = {
  baseline: "6742c01ed900a03db011000003000100000300320f162e48",
  baseline720p: "6742c01fd9005005bb011000000300100000030320f1832480",
  main: "674d401eeca0501ed808800000030080000019078b16cb",
  high: "6764001eacd940a03db011000003000100000300320f162d96",
  high1080p: "67640028acd940780227e5c044000003000400000300c83c60c658",
  high422: "677a001ebcd940a03db011000003000100000300320f162d96",
  high444: "67f4001e919b288f6022000003000200000300641e2c5b2c",
  interlaced: "6764001eacd940b424d8088000000300800000190f8a14cb"
}
const nal = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"))
const parsed = (which: keyof typeof written) => parseSps(nal(written[which]))

describe("the NAL units of a byte stream", () => {
  const unit = (...bytes: ReadonlyArray<number>) => Buffer.from([0, 0, 1, ...bytes])

  it("are the first 64, of the first 64 KiB", () => {
    assert.deepEqual(nalsIn(Buffer.concat([unit(0x67, 1), unit(0x65)])), [Buffer.from([0x67, 1]), Buffer.from([0x65])])
    const many = Buffer.alloc(8 << 20, unit())
    assert.lengthOf(nalsIn(many), 64)
    assert.isUndefined(spsIn(Buffer.concat([unit(6), Buffer.alloc(65_536, 7), unit(0x67, 1)])))
    assert.isDefined(spsIn(Buffer.concat([unit(6), Buffer.alloc(65_000, 7), unit(0x67, 1)])))
  })
})

describe("an SPS", () => {
  it("tells profile, level, size and rate of constrained baseline", () => {
    assert.deepEqual(parsed("baseline"), {
      profileIdc: 66,
      constraintSet1: true,
      levelIdc: 30,
      chromaFormatIdc: 1,
      progressive: true,
      width: 640,
      height: 480,
      framesPerSecond: 25,
      hasBFrames: false
    })
  })

  it.each([
    ["baseline720p", "constrained baseline", 31, 1280, 720],
    ["main", "main", 30, 640, 480],
    ["high", "high", 30, 640, 480],
    ["high1080p", "high", 40, 1920, 1080],
    ["high422", "high 4:2:2", 30, 640, 480],
    ["high444", "244", 30, 64, 48],
    ["interlaced", "high", 30, 720, 576]
  ] as const)("of %s is %s at level %i, %i × %i after cropping", (which, profile, levelIdc, width, height) => {
    const sps = parsed(which)
    assert.deepInclude(sps, { levelIdc, width, height, framesPerSecond: 25 })
    assert.strictEqual(profileName(sps), profile)
  })

  it("tells whether pictures come in another order than they are shown in, where it says so", () => {
    assert.isFalse(parsed("baseline720p").hasBFrames)
    assert.isTrue(parsed("main").hasBFrames)
    assert.isTrue(parsed("high1080p").hasBFrames)
  })

  it("tells chroma and interlacing", () => {
    assert.strictEqual(parsed("high422").chromaFormatIdc, 2)
    assert.strictEqual(parsed("high444").chromaFormatIdc, 3)
    assert.isFalse(parsed("interlaced").progressive)
  })

  it("meets stanag4406 only as constrained baseline of level 3.0 or lower", () => {
    const meeting = Object.keys(written).filter((which) =>
      conforms("stanag4406", parsed(which as keyof typeof written))
    )
    assert.deepEqual(meeting, ["baseline"])
    assert.isTrue(conforms("none", parsed("high422")))
  })

  it("that is cut short anywhere is refused or read from what is there, never anything else", () => {
    for (const hex of Object.values(written)) {
      for (let length = 0; length < hex.length / 2; length++) {
        try {
          parseSps(nal(hex).subarray(0, length))
        } catch (error) {
          assert.instanceOf(error, RangeError)
        }
      }
    }
  })

  it("that is none is refused", () => {
    assert.throws(() => parseSps(nal("68ce3c80")), RangeError)
    assert.throws(() => parseSps(new Uint8Array()), RangeError)
  })

  it("of any bytes is read or refused with a RangeError, and soon", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...Object.values(written)), (noise, hex) => {
        for (const bytes of [Uint8Array.of(0x67, ...noise), Uint8Array.of(...nal(hex).subarray(0, 6), ...noise)]) {
          try {
            parseSps(bytes)
          } catch (error) {
            assert.instanceOf(error, RangeError)
          }
        }
      }),
      { numRuns: 2000 }
    )
  })

  it("with an absurdly long list in it is refused at once", () => {
    // pic_order_cnt_type 1 with 2^32 - 2 entries that the stream does not have
    const head = ["01000010", "11000000", "00011110", "1", "1", "010", "0", "1", "1"]
    const bits = [...head, "0".repeat(31), "1".repeat(32)].join("")
    const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, "0"), 2))
    assert.throws(() => parseSps(Uint8Array.of(0x67, ...bytes)), RangeError)
  })
})
