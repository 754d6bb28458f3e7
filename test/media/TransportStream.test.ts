import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { nalsIn } from "../../src/media/Sps.ts"
import { readTransport } from "../../src/media/TransportStream.ts"
import { bytesHeld } from "../support/Memory.ts"

/** A packet of 188 bytes; what the payload leaves is stuffed in front of it. */
const packet = (pid: number, isStart: boolean, payload: Buffer): Buffer => {
  const stuffing = 184 - payload.length
  const head = [0x47, (isStart ? 0x40 : 0) | (pid >> 8), pid & 0xff]
  if (stuffing === 0) return Buffer.from([...head, 0x10, ...payload])
  const adaptation = stuffing === 1 ? [0] : [stuffing - 1, 0, ...Array<number>(stuffing - 2).fill(0xff)]
  return Buffer.from([...head, 0x30, ...adaptation, ...payload])
}

const section = (table: number, body: ReadonlyArray<number>): Buffer =>
  Buffer.from([0, table, 0xb0, body.length + 9, 0, 1, 0xc1, 0, 0, ...body, 0, 0, 0, 0])

const [mapPid, videoPid, audioPid, klvPid] = [0x100, 0x101, 0x102, 0x103]
const wide = (pid: number) => [0xe0 | (pid >> 8), pid & 0xff]
const association = packet(0, true, section(0, [0, 1, ...wide(mapPid)]))
const map = packet(
  mapPid,
  true,
  section(2, [
    ...[...wide(videoPid), 0xf0, 0],
    ...[0x1b, ...wide(videoPid), 0xf0, 0],
    ...[0x0f, ...wide(audioPid), 0xf0, 0],
    ...[0x06, ...wide(klvPid), 0xf0, 6, 5, 4, ...Buffer.from("KLVA")]
  ])
)

/** A picture as packets. */
const picture = (...nals: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<Buffer> => {
  const header = Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 2, 0xff, 0xff])
  const units = nals.flatMap((nal) => [Buffer.from([0, 0, 1]), Buffer.from(nal)])
  const pes = Buffer.concat([header, ...units])
  return Array.from({ length: Math.ceil(pes.length / 184) }, (_, i) =>
    packet(videoPid, i === 0, pes.subarray(i * 184, (i + 1) * 184))
  )
}

/** Metadata as packets, in one packetized elementary stream packet. */
const klv = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const pes = Buffer.concat([Buffer.from([0, 0, 1, 0xbd, 0, bytes.length + 3, 0x80, 0, 0]), bytes])
  return Array.from({ length: Math.ceil(pes.length / 184) }, (_, i) =>
    packet(klvPid, i === 0, pes.subarray(i * 184, (i + 1) * 184))
  )
}

const rtp = (...packets: ReadonlyArray<Buffer>) =>
  Buffer.concat([Buffer.from([0x80, 33, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]), ...packets])

const keyUnits = Buffer.from([0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 1, 0x65, 3])
const long = Array<number>(300).fill(7)
const key = picture([0x09, 0xf0], [0x67, 1], [0x68, 2], [0x65, ...long])
const other = picture([0x09, 0xf0], [0x41, ...long])

describe("a transport stream", () => {
  it("gives its keyframes, and counts its pictures", () => {
    const { audioCodec, hasKlv, pictures, take } = readTransport()
    const packets = [rtp(association, map), rtp(...other), rtp(...key), rtp(...other), rtp(...other)]
    const found = packets.flatMap((bytes) => take(bytes, 0, bytes.length) ?? [])
    assert.lengthOf(found, 1)
    assert.strictEqual(found[0]?.codec, "h264")
    assert.deepEqual(
      nalsIn(found[0]?.bytes ?? Buffer.alloc(0)).map((nal) => [nal[0], nal.length]),
      [
        [0x09, 2],
        [0x67, 2],
        [0x68, 2],
        [0x65, 301]
      ]
    )
    assert.strictEqual(pictures(), 3)
    assert.isTrue(hasKlv())
    assert.strictEqual(audioCodec(), "mpeg4-generic")
  })

  it("shows B-frames as soon as one is whole", () => {
    const { hasBFrames, take } = readTransport()
    const b = picture([0x09, 0xf0], [0x01, 0xa8, ...long])
    for (const [packets, isSeen] of [
      [[association, map, ...key, ...other, ...b], false],
      [other, true]
    ] as const) {
      const bytes = rtp(...packets)
      take(bytes, 0, bytes.length)
      assert.strictEqual(hasBFrames(), isSeen)
    }
  })

  it("whose tables have not come says nothing, and a keyframe needs its parameter sets", () => {
    const early = readTransport()
    const bytes = rtp(...key, ...other)
    assert.isUndefined(early.take(bytes, 0, bytes.length))
    assert.isUndefined(early.hasKlv())
    const bare = readTransport()
    const without = rtp(association, map, ...picture([0x65, 1]), ...other)
    assert.isUndefined(bare.take(without, 0, without.length))
  })

  it("has no keyframe whose slice is behind 64 KiB or 64 units of other things", () => {
    const units = (count: number) => Array.from({ length: count }, () => [0x06, 5])
    const filler = (length: number) => [[0x0c, ...Array<number>(length).fill(0xff)]]
    const isFound = (before: ReadonlyArray<ReadonlyArray<number>>) => {
      const { take } = readTransport()
      const packets = rtp(association, map, ...picture([0x67, 1], ...before, [0x65, 1]), ...other)
      return take(packets, 0, packets.length) !== undefined
    }
    assert.deepEqual([units(62), units(63), filler(65_000), filler(66_000)].map(isFound), [true, false, true, false])
  })

  it("gives its metadata with its last byte, and none of which some is lost", () => {
    const units: Array<number> = []
    const { take } = readTransport((unit) => units.push(unit.length))
    const [first = association, second = association] = klv(Buffer.alloc(200))
    for (const packets of [
      [association, map, second],
      [first],
      ...[200, 10, 240].map((size) => klv(Buffer.alloc(size)))
    ]) {
      const bytes = rtp(...packets)
      take(bytes, 0, bytes.length)
    }
    assert.deepEqual(units, [200, 10, 240])
  })

  it("has its metadata numbered as MediaMTX takes it, and nothing else of it changed", () => {
    const units: Array<string> = []
    const { take } = readTransport((unit) => units.push(unit.toString("latin1")))
    const cells = section(2, [
      ...[...wide(videoPid), 0xf0, 0],
      ...[0x1b, ...wide(videoPid), 0xf0, 0],
      ...[0x15, ...wide(klvPid), 0xf0, 0]
    ])
    const cell = (number: number, flags: number, text: string) =>
      klv(Buffer.concat([Buffer.from([0, number, flags, 0, text.length]), Buffer.from(text)]))
    const bytes = rtp(association, packet(mapPid, true, cells), ...cell(7, 0xdf, "one"), ...cell(8, 0x9f, "t"))
    const before = Buffer.from(bytes)
    take(bytes, 0, bytes.length)
    assert.deepEqual(units, ["one"])
    const changed = [...bytes.entries()].filter(([at, byte]) => byte !== before[at])
    assert.lengthOf(changed, 1)
    assert.deepEqual([changed[0]?.[1], before[changed[0]?.[0] ?? 0]], [0, 7])
  })

  it("holds no more than a picture's bytes, however large the chunks that its packets came in", () => {
    const { take } = readTransport()
    const inChunk = (bytes: Buffer) => take(Buffer.concat([bytes, Buffer.alloc(65_536)]), 0, bytes.length)
    inChunk(rtp(association, map))
    inChunk(rtp(key[0] ?? Buffer.alloc(0)))
    const before = bytesHeld()
    const [none, whole] = [
      rtp(packet(videoPid, false, Buffer.alloc(0))),
      rtp(packet(videoPid, false, Buffer.alloc(184)))
    ]
    for (let i = 0; i < 500; i++) {
      inChunk(none)
      inChunk(whole)
    }
    assert.isBelow(bytesHeld() - before, 1 << 20)
    assert.isDefined(inChunk(rtp(...other)))
  })

  it("whose video moves to another place begins anew there", () => {
    const { pictures, take } = readTransport()
    const moved = section(2, [...[...wide(audioPid), 0xf0, 0], ...[0x1b, ...wide(audioPid), 0xf0, 0]])
    const [begun = Buffer.alloc(0)] = key
    const elsewhere = packet(audioPid, true, Buffer.concat([Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]), keyUnits]))
    const packets = rtp(association, map, begun, packet(mapPid, true, moved), elsewhere, elsewhere)
    const found = take(packets, 0, packets.length)
    assert.strictEqual(pictures(), 1)
    assert.isTrue(found?.bytes.equals(keyUnits))
  })

  it("of any bytes takes nothing down", () => {
    const some = fc.oneof(
      fc.constantFrom(association, map, ...key, ...other),
      fc.uint8Array({ minLength: 187, maxLength: 187 }).map((bytes) => Buffer.from([0x47, ...bytes])),
      fc
        .tuple(fc.constantFrom(0, mapPid, videoPid, klvPid), fc.uint8Array({ maxLength: 184 }))
        .map(([pid, bytes]) => packet(pid, true, Buffer.from(bytes)))
    )
    fc.assert(
      fc.property(fc.array(fc.array(some, { maxLength: 7 }), { maxLength: 20 }), (all) => {
        const { take } = readTransport(() => undefined)
        for (const bytes of all.map((packets) => rtp(...packets))) take(bytes, 0, bytes.length)
      }),
      { numRuns: 2000 }
    )
  })
})
