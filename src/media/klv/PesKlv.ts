import { PictureBytes } from "../PictureBytes.ts"
import { maxKlvBytes } from "./Klv.ts"
import type { HearKlv } from "./RtpKlv.ts"

/** A packetized elementary stream's header up to the length of its rest (ISO/IEC 13818-1, 2.4.3.6), and that rest's. */
const headLength = 6
const fixedLength = 9
const startCode = 0x000001

/** Of a metadata access unit cell (2.12.4). */
const cellHead = 5
/** Whether it is the first, the last or both of its unit. */
const isFirst = (flags: number): boolean => (flags & 0x80) !== 0
const isLast = (flags: number): boolean => (flags & 0x40) !== 0

/** Where the payload of a whole packet begins; undefined: it is none. */
const payloadAt = (packet: Buffer): number | undefined => {
  if (packet.length < fixedLength || packet.readUIntBE(0, 3) !== startCode) return undefined
  const at = fixedLength + (packet[8] ?? 0)
  return at < packet.length ? at : undefined
}

/**
 * Numbers a cell that is a whole unit as the first, in place: MediaMTX (1.21) loses those that the camera counts on from one
 * packet to the next, as ISO/IEC 13818-1, 2.12.4, has it. `payload`: of the transport packet in which it begins.
 */
export const numberAnew = (payload: Buffer): void => {
  const at = payloadAt(payload)
  const flags = at === undefined ? undefined : payload[at + 2]
  if (at !== undefined && flags !== undefined && isFirst(flags) && isLast(flags)) payload[at + 1] = 0
}

/** Takes the payloads of one elementary stream's transport packets. */
export interface PesKlv {
  /** `isStart`: a packet begins with it */
  readonly add: (payload: Buffer, isStart: boolean) => void
}

/**
 * Puts units of KLV together from a transport stream's packets, as MISB ST 1402 has them in there: as they are, or
 * (`hasCells`) in metadata access unit cells. A unit is heard with its last byte, which the packet's length tells.
 */
export const takePesKlv = (hasCells: boolean, hear: HearKlv): PesKlv => {
  const packet = new PictureBytes(maxKlvBytes)
  const unit = new PictureBytes(maxKlvBytes)
  let got = 0
  /** of the packet; 0: its end is not known, or it is not wanted */
  let wanted = 0

  const takeCells = (bytes: Buffer): void => {
    for (let at = 0; at + cellHead <= bytes.length;) {
      const flags = bytes[at + 2] ?? 0
      const next = at + cellHead + bytes.readUInt16BE(at + 3)
      if (next > bytes.length) return
      if (isFirst(flags)) unit.take()
      // what lacks its beginning is nobody's
      if (isFirst(flags) || !unit.isEmpty) unit.add(bytes.subarray(at + cellHead, next))
      const whole = isLast(flags) ? unit.take() : undefined
      if (whole !== undefined) hear(whole)
      at = next
    }
  }

  const finish = (): void => {
    const whole = packet.take()
    wanted = 0
    const at = whole === undefined ? undefined : payloadAt(whole)
    if (whole === undefined || at === undefined) return
    if (hasCells) takeCells(whole.subarray(at))
    else hear(whole.subarray(at))
  }

  return {
    add: (payload, isStart) => {
      if (isStart) {
        packet.take()
        got = 0
        const length = payload.length < headLength ? 0 : payload.readUInt16BE(4)
        wanted = length === 0 ? 0 : headLength + length
      }
      if (wanted === 0) return
      packet.add(payload.subarray(0, wanted - got))
      got += payload.length
      if (got >= wanted) finish()
    }
  }
}
