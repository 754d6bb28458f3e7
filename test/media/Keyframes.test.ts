import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { keyframesOf } from "../../src/media/Keyframes.ts"
import { nalsIn } from "../../src/media/Sps.ts"
import { bytesHeld } from "../support/Memory.ts"

const sps = Buffer.from("Z0LAHtoCgPbARAAAAwAEAAADAPI8WLqA", "base64")
const pps = Buffer.from("aM48gA==", "base64")

/** An RTP packet, of which nothing but this counts. */
const rtp = (timestamp: number, isLast: boolean, payload: ReadonlyArray<number> | Buffer): Buffer => {
  const head = Buffer.from([0x80, isLast ? 0xe0 : 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9])
  head.writeUInt32BE(timestamp, 4)
  return Buffer.concat([head, Buffer.from(payload)])
}

/** What comes of these packets. */
const taken = (encoding: string, sets: ReadonlyArray<Uint8Array>, packets: ReadonlyArray<Buffer>) => {
  const take = keyframesOf(encoding, sets)
  return packets.flatMap((packet) => take?.(packet, 0, packet.length)?.bytes ?? [])
}
const nals = (keyframe: Buffer | undefined) =>
  nalsIn(keyframe ?? Buffer.alloc(0)).map((nal) => nal.toString("hex").replace(/(00)+$/, ""))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

describe("a keyframe of H.264", () => {
  it("is put together of its fragments, behind the parameter sets of the description", () => {
    const [keyframe, ...others] = taken(
      "h264",
      [sps, pps],
      [
        rtp(1, true, [0x41, 9, 9]),
        rtp(2, false, [0x7c, 0x85, 1, 2]),
        rtp(2, false, [0x7c, 0x05, 3, 4]),
        rtp(2, true, [0x7c, 0x45, 5]),
        rtp(3, true, [0x41, 9, 9])
      ]
    )
    assert.deepEqual(nals(keyframe), [hex(sps), hex(pps).replace(/(00)+$/, ""), "650102030405"])
    assert.lengthOf(others, 0)
  })

  it("has its own parameter sets where it comes with some, in one packet or several, and all its slices", () => {
    const aggregate = [0x18, 0, sps.length, ...sps, 0, pps.length, ...pps]
    const [keyframe] = taken(
      "h264",
      [Buffer.from([0x67, 1])],
      [rtp(2, false, aggregate), rtp(2, false, [0x65, 1, 7]), rtp(2, true, [0x65, 2, 7])]
    )
    assert.deepEqual(nals(keyframe), [hex(sps), hex(pps), "650107", "650207"])
  })

  it("is whole with the next picture where its last packet has no marker", () => {
    const packets = [rtp(2, false, [0x65, 1, 7]), rtp(3, true, [0x41, 9])]
    assert.lengthOf(taken("h264", [sps, pps], packets), 1)
  })

  it("is none without parameter sets, or with a fragment that has no end", () => {
    assert.lengthOf(taken("h264", [], [rtp(2, true, [0x65, 1, 7])]), 0)
    assert.lengthOf(taken("h264", [sps, pps], [rtp(2, true, [0x7c, 0x85, 1, 2])]), 0)
  })
})

describe("a keyframe of very many pieces", () => {
  const begin = rtp(2, false, [0x7c, 0x85])
  const end = rtp(2, true, [0x7c, 0x45])

  it("is put together of all of them", () => {
    const slice = Array.from({ length: 300_000 }, (_, i) => 1 + (i % 255))
    const fragments = slice.map((byte) => rtp(2, false, [0x7c, 0x05, byte]))
    const [keyframe] = taken("h264", [sps, pps], [begin, ...fragments, end])
    assert.isTrue(keyframe?.subarray(-slice.length - 1).equals(Buffer.from([0x65, ...slice])))
  })

  it.each([
    ["a byte each", [0x7c, 0x05, 7]],
    ["nothing", [0x7c, 0x05]],
    ["an aggregate of units of a byte", [0x18, ...Array.from({ length: 8 }, () => [0, 1, 0x65]).flat()]]
  ])("holds no more than its bytes while they come, of %s", (_, payload) => {
    const take = keyframesOf("h264", [sps, pps])
    const piece = rtp(2, false, payload)
    take?.(begin, 0, begin.length)
    const before = bytesHeld()
    for (let i = 0; i < 100_000; i++) take?.(piece, 0, piece.length)
    assert.isBelow(bytesHeld() - before, 5 << 20)
    assert.isDefined(take)
  })

  it("is given up past 8 MB, and the next one is whole", () => {
    const large = rtp(2, false, Buffer.concat([Buffer.from([0x7c, 0x05]), Buffer.alloc(60_000, 7)]))
    const found = taken("h264", [sps, pps], [begin, ...Array<Buffer>(150).fill(large), end, rtp(3, true, [0x65, 1])])
    assert.deepEqual(found.map(nals), [[hex(sps), hex(pps).replace(/(00)+$/, ""), "6501"]])
  })
})

describe("parameter sets ahead of keyframes", () => {
  const fragments = (unit: Buffer, timestamp: number): ReadonlyArray<Buffer> => {
    const count = Math.ceil(unit.length / 60_000)
    return Array.from({ length: count }, (_, i) => {
      const place = (i === 0 ? 0x80 : 0) | (i === count - 1 ? 0x40 : 0)
      const piece = unit.subarray(i * 60_000, (i + 1) * 60_000)
      return rtp(timestamp, i === count - 1, Buffer.concat([Buffer.from([0x7c, place | 7]), piece]))
    })
  }
  const units = (count: number) => rtp(1, true, [0x18, ...Array.from({ length: count }, () => [0, 2, 0x67, 1]).flat()])
  const key = rtp(2, true, [0x65])

  it("are given up where they have more than 64 KiB or are more than 16, and the next ones are kept", () => {
    for (const large of [
      fragments(Buffer.alloc(65_536, 7), 1),
      fragments(Buffer.alloc(7_900_000, 7), 1),
      [units(17)]
    ]) {
      assert.lengthOf(taken("h264", [sps, pps], [...large, key]), 0)
      const [keyframe] = taken("h264", [sps, pps], [...large, rtp(3, true, sps), key])
      assert.deepEqual(nals(keyframe), [hex(sps), "65"])
    }
    assert.lengthOf(nals(taken("h264", [], [units(16), key])[0]), 17)
  })

  it.each([
    ["the description", [Buffer.alloc(65_000, 7)], []],
    ["the stream", [], fragments(Buffer.alloc(65_000, 7), 1)]
  ])("are not copied for every keyframe, those of %s", (_, given, sent) => {
    const take = keyframesOf("h264", given)
    for (const packet of sent) take?.(packet, 0, packet.length)
    const before = bytesHeld()
    // as many as fit into 64 KiB of a connection
    const found = Array.from({ length: 3855 }, () => take?.(key, 0, key.length))
    assert.isBelow(bytesHeld() - before, 5 << 20)
    assert.isAbove(found.at(-1)?.bytes.length ?? 0, 65_000)
  })
})

describe("a keyframe of H.265", () => {
  it("is put together of its fragments, with parameter sets that came in an aggregate", () => {
    const sets = [0x60, 1, 0, 2, 0x40, 1, 0, 2, 0x42, 1, 0, 2, 0x44, 1]
    const [keyframe] = taken(
      "h265",
      [],
      [rtp(2, false, sets), rtp(2, false, [0x62, 1, 0x93, 5]), rtp(2, true, [0x62, 1, 0x53, 6])]
    )
    assert.deepEqual(nals(keyframe), ["4001", "4201", "4401", "26010506"])
  })
})

it("packets of any bytes take nothing down, and other codecs have no keyframes", () => {
  assert.isUndefined(keyframesOf("jpeg", []))
  const packet = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.nat(3), fc.boolean(), fc.uint8Array({ maxLength: 30 }))
      .map(([at, isLast, bytes]) => rtp(at, isLast, Buffer.from(bytes)))
  )
  fc.assert(
    fc.property(fc.constantFrom("h264", "h265"), fc.array(packet, { maxLength: 30 }), (encoding, packets) => {
      taken(encoding, [sps, pps], packets)
    }),
    { numRuns: 2000 }
  )
})
