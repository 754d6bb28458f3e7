import { type IpAddress, isIn, type IpNetwork, parseNetwork } from "../ground/IpAddress.ts"

/**
 * Where cameras may be. A URL that somebody gives us must not make us knock at doors that are open to this machine alone:
 * its own, those of its cloud, and those that lead nowhere. Allowed is what the registries give out (RFC 6890, RFC 8190),
 * private networks among it; whatever wraps an IPv4 address is judged by that. Pure.
 */

/** Why cameras may not be there; in words that follow "it is". */
export type Refusal = string

export const ownAddress: Refusal = "an address of this machine"

export interface Surroundings {
  /** networks where the operator allows cameras all the same */
  readonly allowed: ReadonlyArray<IpNetwork>
  /** this machine's own addresses */
  readonly own: ReadonlyArray<IpAddress>
  /** ports that this service and its MediaMTX listen on */
  readonly ownPorts: ReadonlySet<number>
}

/** Undefined: it may be gone to. */
export const refusalOf = (address: IpAddress, port: number, around: Surroundings): Refusal | undefined => {
  const inner = unwrapped(address)
  const isOwn = around.own.some((own) => isIn({ address: own, bits: own.length * 8 }, inner))
  const special = specialOf(inner)
  // a stream of ours that is read as a camera would feed itself
  if ((isOwn || special === "a loopback address") && around.ownPorts.has(port)) return "a port of this service"
  if (around.allowed.some((network) => isIn(network, inner))) return undefined
  return special ?? (isOwn ? "an address of this machine" : undefined)
}

const networks = (...texts: ReadonlyArray<string>): ReadonlyArray<IpNetwork> =>
  texts.flatMap((text) => parseNetwork(text) ?? [])

/** Where clouds tell a machine its secrets: AWS, Google, Azure, Oracle, Alibaba and Scaleway; the link-local ones are many more. */
const metadata = networks(
  "169.254.169.254",
  "168.63.129.16",
  "192.0.0.192",
  "100.100.100.200",
  "fd00:ec2::/32",
  "fd00:42::42",
  "fd20:ce::254"
)

const special: ReadonlyArray<readonly [Refusal, ReadonlyArray<IpNetwork>]> = [
  ["a cloud's metadata address", metadata],
  ["the unspecified address", networks("0.0.0.0/8", "::")],
  ["a loopback address", networks("127.0.0.0/8", "::1")],
  ["a link-local address", networks("169.254.0.0/16", "fe80::/10")],
  ["a multicast or broadcast address", networks("224.0.0.0/4", "255.255.255.255", "ff00::/8")],
  [
    // IANA's registries of special-purpose addresses
    "a reserved address",
    networks(
      "192.0.0.0/24",
      "192.0.2.0/24",
      "192.88.99.0/24",
      "198.18.0.0/15",
      "198.51.100.0/24",
      "203.0.113.0/24",
      "240.0.0.0/4",
      "2001::/23",
      "2001:db8::/32",
      "3fff::/20"
    )
  ]
]

/** Of IPv6 only these are given out: global unicast and unique local addresses. */
const ipv6 = networks("2000::/3", "fc00::/7")

const specialOf = (address: IpAddress): Refusal | undefined => {
  const found = special.find(([, all]) => all.some((network) => isIn(network, address)))
  if (found !== undefined) return found[0]
  return address.length === 4 || ipv6.some((network) => isIn(network, address)) ? undefined : "a reserved address"
}

/** How IPv6 wraps IPv4 addresses, and at which byte: mapped, translated, NAT64 (RFC 6052), 6to4; compatible ones last. */
const wrappings = (
  [
    ["::ffff:0:0/96", 12],
    ["::ffff:0:0:0/96", 12],
    ["64:ff9b::/96", 12],
    ["2002::/16", 2],
    ["::/96", 12]
  ] as const
).flatMap(([text, at]) => networks(text).map((network) => ({ network, at })))

/** `::` and `::1` are no wrapped addresses. */
const isPlain = (address: IpAddress): boolean => address.slice(0, 15).every((byte) => byte === 0)

const unwrapped = (address: IpAddress): IpAddress => {
  if (address.length === 4 || isPlain(address)) return address
  const wrapping = wrappings.find(({ network }) => isIn(network, address))
  if (wrapping !== undefined) return address.slice(wrapping.at, wrapping.at + 4)
  // ISATAP (RFC 5214, 6.1), whatever the network
  const isIsatap = [0, 2].includes(address[8] ?? 1) && address[9] === 0 && address[10] === 0x5e && address[11] === 0xfe
  return isIsatap ? address.slice(12) : address
}
