import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { maxKlvBytes, readKlv } from "../../../src/media/klv/Klv.ts"
import { localSet, timeItem, uasPacket } from "../../../testing/KlvPackets.ts"

/** Written by stanag4609 0.4.0 (PyPI), which reads in it what stands below. */
const vector = Buffer.from(
  "060e2b34020b01010e0103010100000082011d02080006475ef64cf340030a4d495353494f4e2030310502000006027fff0a0a4d495353494f4e" +
    "2030310b0a4d495353494f4e2030310c0a536b7964696f205831300d049738f7d20f020000100200001102000012040000000013048000000" +
    "114047f15053515047731af121602ffff1804d7ee05d819021e391b0280011c0212b21d02ff262002327121027e3b302e01010202010e0305" +
    "2f2f5553410508464f5220544553540c010e0d0e005500530041003b0044004500551602000c3b07454f204e6f73654101134b0258d54e02f" +
    "fff5204bf63af8d5304aa96fb0f54046225714455042ec6f03c56047fffffff57047fffffff5804810c47465904800000015a0473aed0bb5b" +
    "04fb4514546003383077680445d818dc0102e99e",
  "hex"
)
const time = timeItem(1_767_323_045_000_000n)
const byte = (...bytes: ReadonlyArray<number>) => Buffer.from(bytes)

describe("a packet of metadata", () => {
  it("says what it says, with names and units", () => {
    const read = readKlv(vector)
    assert.isObject(read)
    assert.deepInclude(Object(read), {
      precision_time_stamp: "2026-01-02T03:04:05.000000Z",
      security: {
        classification: "RESTRICTED",
        country_coding_method: 14,
        classifying_country: "//USA",
        caveats: "FOR TEST",
        object_country_coding_method: 14,
        object_country_codes: "USA;DEU",
        version: 12
      }
    })
    assert.deepInclude(typeof read === "object" ? read.values : {}, {
      mission_id: "MISSION 01",
      image_coordinate_system: "Skydio X10",
      platform_heading_deg: 0,
      sensor_latitude_deg: -73.671657617,
      sensor_altitude_m: -900,
      slant_range_m: 2_328_009.3289,
      corner_longitude_1_deg: -120.108138314,
      uas_ls_version: 19
    })
  })

  it("has the more exact one of two values for the same, in whatever order they come", () => {
    const [narrow, full] = [[6, byte(0x7f, 0xff)] as const, [90, byte(0x40, 0, 0, 0)] as const]
    for (const items of [
      [time, narrow, full],
      [full, time, narrow]
    ]) {
      const read = readKlv(uasPacket(items))
      assert.deepInclude(typeof read === "object" ? read.values : {}, { platform_pitch_deg: 45.000000021 })
    }
  })

  it("names the tags that it does not read: unknown ones, those of a wrong length, those without a value", () => {
    const read = readKlv(
      uasPacket([
        time,
        [5, byte(1)],
        [13, byte(0x80, 0, 0, 0)],
        [16, byte()],
        [48, byte(1, 9)],
        [96, byte(0xff, 0xff, 0xff)],
        [300, byte(7)]
      ])
    )
    assert.deepEqual(read, {
      precision_time_stamp: "2026-01-02T03:04:05.000000Z",
      values: {},
      unread_tags: [5, 13, 16, 48, 96, 300]
    })
  })

  it("has no control characters in its texts", () => {
    const read = readKlv(uasPacket([time, [3, Buffer.from("\u001b[31mA\u0000\n")]]))
    assert.deepInclude(Object(read), { values: { mission_id: "[31mA" } })
  })

  const set = uasPacket([time])
  const other = Buffer.concat([Buffer.from("060e2b34020301010e01030301000000", "hex"), byte(1, 0)])
  const many = Array.from({ length: 300 }, () => [65, byte(1)] as const)
  it.each([
    ["empty", "NO_UNIVERSAL_KEY", byte()],
    ["no KLV", "NO_UNIVERSAL_KEY", Buffer.from("not metadata at all")],
    ["of another standard", "OTHER_SET", other],
    ["cut off", "TRUNCATED", set.subarray(0, -1)],
    ["of a length without an end", "BAD_LENGTH", Buffer.concat([set.subarray(0, 16), byte(0x80), set.subarray(17)])],
    ["of a length with eight bytes", "BAD_LENGTH", Buffer.concat([set.subarray(0, 16), byte(0x88), set.subarray(17)])],
    ["with a tag that has no end", "BAD_TAG", Buffer.concat([set.subarray(0, 16), byte(4, 0xff, 0xff, 0xff, 0xff)])],
    ["with a tag written in another way", "BAD_TAG", Buffer.concat([set.subarray(0, 16), byte(3, 0x80, 1, 0)])],
    ["without its checksum", "NO_CHECKSUM", Buffer.concat([set.subarray(0, 16), byte(10), localSet([time])])],
    ["with another checksum", "WRONG_CHECKSUM", Buffer.concat([set.subarray(0, -1), byte((set.at(-1) ?? 0) ^ 1)])],
    ["without its time", "NO_TIMESTAMP", uasPacket([[65, byte(1)]])],
    ["of a time that is none", "BAD_TIMESTAMP", uasPacket([timeItem(0xffff_ffff_ffff_ffffn)])],
    ["of too many items", "TOO_MANY_ITEMS", uasPacket([time, ...many])],
    ["of too many sets", "TOO_MANY_ITEMS", Buffer.concat(Array.from({ length: 17 }, () => set))],
    ["too long", "TOO_LONG", Buffer.alloc(maxKlvBytes + 1)]
  ])("that is %s is refused by name: %s", (_, flaw, bytes) => {
    assert.strictEqual<unknown>(readKlv(bytes), flaw)
  })

  it("that stands behind a set of another standard is found", () => {
    assert.isObject(readKlv(Buffer.concat([other, set])))
  })

  it("of any bytes is read or refused by name, and nothing in it is larger than it may be", () => {
    const item = fc.tuple(fc.oneof(fc.integer({ min: 3, max: 110 }), fc.nat(16_000)), fc.uint8Array({ maxLength: 140 }))
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      fc.array(item, { maxLength: 30 }).map((items) => uasPacket([time, ...items])),
      fc.tuple(fc.nat(vector.length - 1), fc.nat(255)).map(([at, value]) => {
        const bytes = Buffer.from(vector)
        bytes[at] = value
        return bytes
      }),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.concat([vector.subarray(0, 16), bytes]))
    )
    fc.assert(
      fc.property(any, (bytes) => {
        const read = readKlv(bytes)
        if (typeof read === "string") return assert.match(read, /^[A-Z_]+$/)
        const told = Object.values({ ...read.values, ...read.security })
        assert.isTrue(told.every((value) => (typeof value === "number" ? Number.isFinite(value) : value.length <= 254)))
        assert.isAtMost(read.unread_tags?.length ?? 0, 64)
      }),
      { numRuns: 5000 }
    )
  })
})
