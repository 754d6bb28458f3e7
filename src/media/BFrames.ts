import { payloadOf } from "./Rtp.ts"

/**
 * Whether a NAL unit of H.264 is the first slice of a B picture, by its header's byte and the one behind it: a 1
 * (`first_mb_in_slice` is 0), then the `slice_type`, 010 (1) or 00111 (6) (ITU-T H.264, 7.3.3, table 7-6 and 9.1).
 */
export const isBSlice = (header: number, second: number): boolean =>
  (header & 0x1f) === 1 && ((second & 0xf0) === 0xa0 || (second & 0xfc) === 0x9c)

const aggregate = 24
const fragment = 28

/** Whether a B picture begins in an RTP packet of H.264 (RFC 6184), which stands in `bytes` from `start` to `end`. */
export const beginsBFrame = (bytes: Buffer, start: number, end: number): boolean => {
  const payload = payloadOf(bytes, start, end)
  if (payload === undefined) return false
  const [from, to] = payload
  const begins = (header: number, at: number) => at < to && isBSlice(header, bytes[at] ?? 0)
  const first = bytes[from] ?? 0
  switch (first & 0x1f) {
    case fragment: {
      const place = bytes[from + 1] ?? 0
      return (place & 0x80) !== 0 && begins(place, from + 2)
    }
    case aggregate:
      for (let at = from + 1; at + 3 < to; at += 2 + bytes.readUInt16BE(at)) {
        if (bytes.readUInt16BE(at) > 1 && begins(bytes[at + 2] ?? 0, at + 3)) return true
      }
      return false
    default:
      return begins(first, from + 1)
  }
}
