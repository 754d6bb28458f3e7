import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Reception } from "../../src/media/Reception.ts"

const rtp = (number: number, { source = 7, timestamp = 0 } = {}): Buffer => {
  const packet = Buffer.alloc(14)
  packet.set([0x80, 96])
  packet.writeUInt16BE(number & 0xffff, 2)
  packet.writeUInt32BE(timestamp >>> 0, 4)
  packet.writeUInt32BE(source, 8)
  return packet
}

/** A sender report with this time in its two halves. */
const senderReport = (seconds: number, fraction: number): Buffer => {
  const packet = Buffer.alloc(28)
  packet.set([0x80, 200, 0, 6])
  packet.writeUInt32BE(7, 4)
  packet.writeUInt32BE(seconds, 8)
  packet.writeUInt32BE(fraction, 12)
  return packet
}

/** What stands in a report (RFC 3550, 6.4.2), read anew from its bytes. */
const parsed = (report: Uint8Array | undefined) => {
  const bytes = Buffer.from(report ?? [])
  const length = (bytes.readUInt16BE(2) + 1) * 4
  const described = bytes.subarray(length)
  assert.deepEqual([bytes[0], bytes[1], length], [0x81, 201, 32])
  assert.deepEqual([described[0], described[1], described[8]], [0x81, 202, 1])
  assert.strictEqual((described.readUInt16BE(2) + 1) * 4, described.length)
  // the list of its items ends
  assert.strictEqual(described.at(10 + (described[9] ?? 0)), 0)
  return {
    receiver: bytes.readUInt32BE(4),
    source: bytes.readUInt32BE(8),
    fraction: bytes[12],
    lost: bytes.readIntBE(13, 3),
    highest: bytes.readUInt32BE(16),
    jitter: bytes.readUInt32BE(20),
    lastReport: bytes.readUInt32BE(24),
    delay: bytes.readUInt32BE(28),
    name: described.toString("latin1", 10, 10 + (described[9] ?? 0))
  }
}

const after = (reception: Reception, numbers: ReadonlyArray<number>) => {
  for (const number of numbers) reception.packet(rtp(number), 0, 14, 0)
  return parsed(reception.report(99, "somebody@here", 0))
}
const from = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at)

describe("a receiver report", () => {
  it("is none before the first packet", () => {
    assert.isUndefined(new Reception(90_000).report(1, "a", 0))
  })

  it("says who reports and of whom, and that all has come", () => {
    const report = after(new Reception(90_000), from(10, 5))
    assert.deepInclude(report, { receiver: 99, source: 7, name: "somebody@here", fraction: 0, lost: 0, highest: 14 })
    assert.deepInclude(report, { lastReport: 0, delay: 0 })
  })

  it("says what was lost since the last one, and in all", () => {
    const reception = new Reception(90_000)
    assert.deepInclude(after(reception, [1, 2, 4]), { fraction: 64, lost: 1, highest: 4 })
    assert.deepInclude(after(reception, [5, 6]), { fraction: 0, lost: 1, highest: 6 })
    // one that comes late, and one that comes twice
    assert.deepInclude(after(reception, [3, 6]), { fraction: 0, lost: -1, highest: 6 })
  })

  it("counts on where the numbers begin anew", () => {
    const reception = new Reception(90_000)
    assert.deepInclude(after(reception, from(65_530, 12)), { lost: 0, highest: 65_536 + 5 })
    // a late one from before
    assert.deepInclude(after(reception, [65_535]), { lost: -1, highest: 65_536 + 5 })
  })

  it("begins anew with another source, and with numbers that go on elsewhere", () => {
    const reception = new Reception(90_000)
    after(reception, from(1, 10))
    assert.deepInclude(after(reception, from(30_000, 3)), { lost: 0, highest: 30_002 })
    reception.packet(rtp(5, { source: 8 }), 0, 14, 0)
    assert.deepInclude(parsed(reception.report(99, "a", 0)), { source: 8, lost: 0, highest: 5 })
  })

  it("tells of the last sender report and how long ago it came", () => {
    const reception = new Reception(90_000)
    reception.packet(rtp(1), 0, 14, 0)
    const report = senderReport(0x1234_5678, 0x9abc_def0)
    reception.control(report, 0, report.length, 1000)
    const { delay, lastReport } = parsed(reception.report(99, "a", 3500))
    assert.strictEqual(lastReport, 0x5678_9abc)
    assert.strictEqual(delay, 2.5 * 65_536)
  })

  it("has the jitter of appendix A.8: nothing where packets are as far apart as their times, a sixteenth of the first", () => {
    const even = new Reception(90_000)
    for (let at = 0; at < 50; at++) even.packet(rtp(at, { timestamp: at * 3600 - 40_000 }), 0, 14, at * 40)
    assert.strictEqual(parsed(even.report(99, "a", 0)).jitter, 0)
    const late = new Reception(90_000)
    late.packet(rtp(1, { timestamp: 0 }), 0, 14, 0)
    late.packet(rtp(2, { timestamp: 3600 }), 0, 14, 40 + 160)
    assert.strictEqual(parsed(late.report(99, "a", 0)).jitter, (160 * 90) / 16)
  })

  it("is made of whatever comes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 40 }), fc.nat(1e9))),
        fc.integer({ min: 0, max: 0xffff }),
        (pieces, first) => {
          const reception = new Reception(90_000)
          reception.packet(rtp(first), 0, 14, 0)
          for (const [isControl, piece, millis] of pieces) {
            const bytes = Buffer.from(piece)
            if (bytes.length > 0) bytes[0] = 0x80
            if (isControl) reception.control(bytes, 0, bytes.length, millis)
            else reception.packet(bytes, 0, bytes.length, millis)
          }
          parsed(reception.report(99, "a", 1e9))
        }
      )
    )
  })
})
