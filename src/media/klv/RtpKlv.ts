import { PictureBytes } from "../PictureBytes.ts"
import { payloadOf } from "../Rtp.ts"
import { maxKlvBytes } from "./Klv.ts"

/** Hears each unit of KLV that has come whole; the next one takes the place of its bytes. */
export type HearKlv = (unit: Buffer) => void

/** What every universal key begins with (SMPTE ST 336), and so every unit. */
const key = 0x060e2b34

/**
 * Puts units of KLV together from RTP packets (RFC 6597), each of which stands in `bytes` from `start` to `end`: a unit has
 * one timestamp, and its last packet a marker. One that lacks a packet is nobody's.
 */
export const takeRtpKlv = (hear: HearKlv): ((bytes: Buffer, start: number, end: number) => void) => {
  const unit = new PictureBytes(maxKlvBytes)
  let timestamp = -1
  let sequence = -1
  let isWhole = false
  let hasEnded = true
  return (bytes, start, end) => {
    const payload = payloadOf(bytes, start, end)
    if (payload === undefined) return
    const [from, to] = payload
    const number = bytes.readUInt16BE(start + 2)
    const time = bytes.readUInt32BE(start + 4)
    if (hasEnded || time !== timestamp) {
      unit.take()
      isWhole = to - from >= 4 && bytes.readUInt32BE(from) === key
    } else isWhole &&= number === ((sequence + 1) & 0xffff)
    timestamp = time
    sequence = number
    hasEnded = ((bytes[start + 1] ?? 0) & 0x80) !== 0
    if (isWhole) unit.add(bytes.subarray(from, to))
    const whole = hasEnded && isWhole ? unit.take() : undefined
    if (whole !== undefined) hear(whole)
  }
}
