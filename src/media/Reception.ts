/** How the packets of one RTP stream arrive, and the report of it for who sends them (RFC 3550, 6.4 and appendix A). Pure. */

/** A sequence number so much higher is of packets that were lost; one so much lower, of one that comes late. */
const maxDropout = 3000
const maxMisorder = 100

const rtpHead = 12
const senderReport = 200
const receiverReport = 201
const sourceDescription = 202
const canonicalName = 1

export class Reception {
  readonly #clockRate: number
  #source: number | undefined
  /** the highest sequence number, and how often it began anew at 0 */
  #highest = 0
  #cycles = 0
  #first = 0
  /** where another run of numbers would go on */
  #other: number | undefined
  #received = 0
  /** as of the last report */
  #before = { expected: 0, received: 0 }
  #transit: number | undefined
  #jitter = 0
  /** the middle of its last sender report's time, and when that came */
  #report: { readonly time: number; readonly at: number } | undefined

  /** `clockRate`: of the packets' timestamps, in Hz; 0: unknown */
  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** An RTP packet, from `start` to `end`; `millis`: now. */
  packet(bytes: Buffer, start: number, end: number, millis: number): void {
    if (end - start < rtpHead || (bytes[start] ?? 0) >> 6 !== 2) return
    const source = bytes.readUInt32BE(start + 8)
    const number = bytes.readUInt16BE(start + 2)
    if (source !== this.#source) this.#begin(source, number)
    if (!this.#isInOrder(number)) return
    this.#received++
    this.#look(bytes.readUInt32BE(start + 4), millis)
  }

  /** RTCP packets of who sends (RFC 3550, 6.1), from `start` to `end`. */
  control(bytes: Buffer, start: number, end: number, millis: number): void {
    for (let at = start; at + 20 <= end; at += (bytes.readUInt16BE(at + 2) + 1) * 4) {
      if ((bytes[at] ?? 0) >> 6 !== 2) return
      if (bytes[at + 1] === senderReport) this.#report = { time: bytes.readUInt32BE(at + 10), at: millis }
    }
  }

  /** What the sender is to know, since the last time that it was told; undefined: nothing has come. */
  report(receiver: number, name: string, millis: number): Uint8Array | undefined {
    if (this.#source === undefined) return undefined
    const highest = this.#cycles * 0x1_0000 + this.#highest
    const expected = highest - this.#first + 1
    const interval = { expected: expected - this.#before.expected, received: this.#received - this.#before.received }
    const lost = interval.expected - interval.received
    this.#before = { expected, received: this.#received }

    const report = Buffer.alloc(32)
    report.writeUInt8(0x81, 0)
    report.writeUInt8(receiverReport, 1)
    report.writeUInt16BE(report.length / 4 - 1, 2)
    report.writeUInt32BE(receiver, 4)
    report.writeUInt32BE(this.#source, 8)
    report.writeUInt8(lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / interval.expected)), 12)
    report.writeIntBE(Math.max(-0x80_0000, Math.min(0x7f_ffff, expected - this.#received)), 13, 3)
    report.writeUInt32BE(highest % 0x1_0000_0000, 16)
    report.writeUInt32BE(Math.floor(this.#jitter), 20)
    if (this.#report !== undefined) {
      const delay = Math.round(((millis - this.#report.at) / 1000) * 0x1_0000)
      report.writeUInt32BE(this.#report.time, 24)
      report.writeUInt32BE(Math.min(0xffff_ffff, Math.max(0, delay)), 28)
    }
    return Buffer.concat([report, described(receiver, name)])
  }

  #begin(source: number, number: number): void {
    this.#source = source
    this.#highest = number
    this.#first = number
    this.#cycles = 0
    this.#other = undefined
    this.#received = 0
    this.#before = { expected: 0, received: 0 }
    this.#transit = undefined
    this.#jitter = 0
    this.#report = undefined
  }

  /** Appendix A.1; a run of other numbers counts from its second packet on. */
  #isInOrder(number: number): boolean {
    const ahead = (number - this.#highest) & 0xffff
    if (ahead < maxDropout) {
      if (number < this.#highest) this.#cycles++
      this.#highest = number
      this.#other = undefined
    } else if (ahead <= 0x1_0000 - maxMisorder) {
      if (number !== this.#other) {
        this.#other = (number + 1) & 0xffff
        return false
      }
      if (this.#source !== undefined) this.#begin(this.#source, number)
    }
    return true
  }

  /** Appendix A.8. */
  #look(timestamp: number, millis: number): void {
    if (this.#clockRate === 0) return
    const transit = (Math.floor((millis * this.#clockRate) / 1000) - timestamp) | 0
    if (this.#transit !== undefined) {
      const difference = Math.min(0xffff_ffff, Math.abs((transit - this.#transit) | 0))
      this.#jitter += (difference - this.#jitter) / 16
    }
    this.#transit = transit
  }
}

/** Who reports (RFC 3550, 6.5): a name of 255 characters of ASCII at most. */
const described = (receiver: number, name: string): Buffer => {
  // an item of the name, one that ends the list, and zeros up to the next word
  const length = 8 + Math.ceil((2 + name.length + 1) / 4) * 4
  const packet = Buffer.alloc(length)
  packet.writeUInt8(0x81, 0)
  packet.writeUInt8(sourceDescription, 1)
  packet.writeUInt16BE(length / 4 - 1, 2)
  packet.writeUInt32BE(receiver, 4)
  packet.writeUInt8(canonicalName, 8)
  packet.writeUInt8(name.length, 9)
  packet.write(name, 10, "latin1")
  return packet
}
