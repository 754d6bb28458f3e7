/**
 * The same picture with this many fill bytes (ITU-T T.81, B.1.1.2) before every marker of its headers and before its end;
 * the picture itself has none.
 */
export const filled = (jpeg: Uint8Array, count: number): Buffer => {
  const bytes = Buffer.from(jpeg)
  const fill = Buffer.alloc(count, 0xff)
  const parts = [bytes.subarray(0, 2)]
  let at = 2
  for (let isHeader = true; isHeader;) {
    isHeader = bytes[at + 1] !== 0xda
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    parts.push(fill, bytes.subarray(at, end))
    at = end
  }
  return Buffer.concat([...parts, bytes.subarray(at, -2), fill, bytes.subarray(-2)])
}
