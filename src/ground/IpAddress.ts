/** IP addresses as bytes. Pure. */

/** 4 bytes, or 16; in the order of the network. */
export type IpAddress = ReadonlyArray<number>

/** Addresses that begin alike, with `bits` bits. */
export interface IpNetwork {
  readonly address: IpAddress
  readonly bits: number
}

/** Dotted decimal (RFC 6943, 3.1.1, the strict form), or IPv6 (RFC 4291, 2.2) without a zone. */
export const parseAddress = (text: string): IpAddress | undefined =>
  text.includes(":") ? parseIpv6(text) : parseIpv4(text)

/** An address, or a network in CIDR notation whose other bits are 0: `192.168.1.0/24`. */
export const parseNetwork = (text: string): IpNetwork | undefined => {
  const [before = "", length, ...more] = text.split("/")
  const address = parseAddress(before)
  if (address === undefined || more.length > 0) return undefined
  const most = address.length * 8
  if (length === undefined) return { address, bits: most }
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Infinity
  const network = { address, bits }
  return bits <= most && address.every((byte, at) => (byte & ~maskAt(bits, at)) === 0) ? network : undefined
}

export const isIn = ({ address: first, bits }: IpNetwork, address: IpAddress): boolean =>
  first.length === address.length && address.every((byte, at) => ((byte ^ (first[at] ?? 0)) & maskAt(bits, at)) === 0)

/** Of the byte at this place, those bits that belong to the network. */
const maskAt = (bits: number, at: number): number => (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))) & 0xff

const parseIpv4 = (text: string): IpAddress | undefined => {
  const parts = text.split(".")
  const bytes = parts.map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : Infinity))
  return bytes.length === 4 && bytes.every((byte) => byte <= 255) ? bytes : undefined
}

const parseIpv6 = (text: string): IpAddress | undefined => {
  const [before = "", after, ...more] = text.split("::")
  if (more.length > 0) return undefined
  const head = groups(before, after === undefined)
  const tail = after === undefined ? [] : groups(after, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (after === undefined ? missing !== 0 : missing < 2) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

/** The bytes of groups between colons; the last one may be an IPv4 address, where nothing comes after it. */
const groups = (text: string, isLast: boolean): IpAddress | undefined => {
  if (text === "") return []
  const parts = text.split(":")
  const bytes: Array<number> = []
  for (const [at, part] of parts.entries()) {
    const ipv4 = isLast && at === parts.length - 1 && part.includes(".") ? parseIpv4(part) : undefined
    if (ipv4 !== undefined) bytes.push(...ipv4)
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part))
      bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff)
    else return undefined
  }
  return bytes
}
