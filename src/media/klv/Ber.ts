/** Lengths and tags as SMPTE ST 336 and MISB ST 0107 write them. */

/** Why bytes are no KLV that can be read. */
export type KlvFlaw =
  | "TOO_LONG"
  | "NO_UNIVERSAL_KEY"
  | "OTHER_SET"
  | "TRUNCATED"
  | "BAD_LENGTH"
  | "BAD_TAG"
  | "TOO_MANY_ITEMS"
  | "NO_CHECKSUM"
  | "WRONG_CHECKSUM"
  | "NO_TIMESTAMP"
  | "BAD_TIMESTAMP"

/** A number, and where what follows it begins. */
interface Read {
  readonly value: number
  readonly next: number
}

/** More than 4 bytes name no length that anything here can have. */
const maxLengthBytes = 4
/** Tags have two bytes at most today; a third is room for what comes. */
const maxTagBytes = 3

/** A length in BER's short or long form. */
export const berLength = (bytes: Buffer, at: number): Read | KlvFlaw => {
  const first = bytes[at]
  if (first === undefined) return "TRUNCATED"
  if (first < 0x80) return { value: first, next: at + 1 }
  const count = first & 0x7f
  // 0: the indefinite form, which KLV has not
  if (count === 0 || count > maxLengthBytes) return "BAD_LENGTH"
  if (at + 1 + count > bytes.length) return "TRUNCATED"
  return { value: bytes.readUIntBE(at + 1, count), next: at + 1 + count }
}

/** A tag in BER-OID: seven bits a byte, the last one without its highest. */
export const berOid = (bytes: Buffer, at: number): Read | KlvFlaw => {
  let value = 0
  for (let next = at; next < at + maxTagBytes; next++) {
    const byte = bytes[next]
    if (byte === undefined) return "TRUNCATED"
    // a leading zero would be a second way to write the same tag
    if (byte === 0x80 && next === at) return "BAD_TAG"
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return { value, next: next + 1 }
  }
  return "BAD_TAG"
}
