/** Where the payload of an RTP packet begins and ends (RFC 3550, 5.1); undefined: it is none, or empty. */
export const payloadOf = (bytes: Buffer, start: number, end: number): readonly [number, number] | undefined => {
  const first = bytes[start] ?? 0
  if (end - start < 12 || first >> 6 !== 2) return undefined
  let from = start + 12 + (first & 0x0f) * 4
  if ((first & 0x10) !== 0) {
    if (from + 4 > end) return undefined
    from += 4 + bytes.readUInt16BE(from + 2) * 4
  }
  const to = (first & 0x20) === 0 ? end : end - (bytes[end - 1] ?? 0)
  return from < to ? [from, to] : undefined
}
