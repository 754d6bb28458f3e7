import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { takeRtpKlv } from "../../../src/media/klv/RtpKlv.ts"
import { flying } from "../../../testing/KlvPackets.ts"

const rtp = (sequence: number, timestamp: number, isLast: boolean, payload: Uint8Array): Buffer => {
  const head = Buffer.from([0x80, isLast ? 0xe2 : 0x62, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9])
  head.writeUInt16BE(sequence & 0xffff, 2)
  head.writeUInt32BE(timestamp, 4)
  return Buffer.concat([head, payload])
}

/** The units that these packets make, in hex. */
const unitsOf = (packets: ReadonlyArray<Buffer>): ReadonlyArray<string> => {
  const units: Array<string> = []
  const take = takeRtpKlv((unit) => units.push(unit.toString("hex")))
  for (const packet of packets) take(packet, 0, packet.length)
  return units
}

const unit = flying(90, 0)
const hex = unit.toString("hex")
const [a, b, c] = [unit.subarray(0, 20), unit.subarray(20, 40), unit.subarray(40)]

describe("a unit of KLV in RTP", () => {
  it("is one packet, or several of one time up to the marker", () => {
    const packets = [rtp(1, 1, true, unit), rtp(2, 2, false, a), rtp(3, 2, false, b), rtp(4, 2, true, c)]
    assert.deepEqual(unitsOf(packets), [hex, hex])
  })

  it("goes on where the sequence begins anew", () => {
    assert.deepEqual(unitsOf([rtp(65_535, 2, false, a), rtp(65_536, 2, false, b), rtp(65_537, 2, true, c)]), [hex])
  })

  it.each([
    ["of which a packet is lost", [rtp(1, 2, false, a), rtp(3, 2, true, c)]],
    ["whose beginning is lost", [rtp(2, 2, false, b), rtp(3, 2, true, c)]],
    ["whose end is lost", [rtp(1, 2, false, a), rtp(2, 2, false, b)]],
    ["without its marker, before the next", [rtp(1, 2, false, a), rtp(2, 3, true, c)]]
  ])("%s is nobody's, and the next one is", (_, packets) => {
    assert.deepEqual(unitsOf([...packets, rtp(9, 9, true, unit)]), [hex])
  })

  it("that is longer than any is nobody's", () => {
    const piece = Buffer.alloc(1000)
    const packets = Array.from({ length: 100 }, (_, i) => rtp(i, 2, i === 99, i === 0 ? unit : piece))
    assert.deepEqual(unitsOf(packets), [])
  })

  it("of any packets takes nothing down", () => {
    const packet = fc.oneof(
      fc
        .tuple(fc.nat(3), fc.nat(3), fc.boolean(), fc.constantFrom(a, b, c, unit, Buffer.alloc(0)))
        .map((parts) => rtp(...parts)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
    )
    fc.assert(fc.property(fc.array(packet, { maxLength: 20 }), (packets) => void unitsOf(packets)))
  })
})
