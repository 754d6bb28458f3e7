import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { h265ProfileName, parseH265Sps } from "../../src/media/H265Sps.ts"

/** As x265 wrote them. */
const main720p = "42010101600000030090000003000003005da00280802d165959a4932bc05a020000030002000003003210"
const main10At1080p = "420101022000000300900000030000030078a003c08010e4d96566924caf016808000003000800000300c840"
const nal = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"))

describe("an SPS of H.265", () => {
  it.each([
    [main720p, "main", 93, 1280, 720],
    [main10At1080p, "main 10", 120, 1920, 1080]
  ] as const)("%s is %s at level %i / 30, %i × %i after cropping", (hex, profile, levelIdc, width, height) => {
    const sps = parseH265Sps(nal(hex))
    assert.deepInclude(sps, { levelIdc, width, height })
    assert.strictEqual(h265ProfileName(sps), profile)
  })

  it("that is cut short, or none, is a RangeError and nothing else", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.nat(40).map((end) => nal(main720p).subarray(0, end))
        ),
        (bytes) => {
          try {
            parseH265Sps(bytes)
          } catch (error) {
            assert.instanceOf(error, RangeError)
          }
        }
      )
    )
  })
})
