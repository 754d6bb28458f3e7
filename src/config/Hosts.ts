/** How the hosts of the configuration stand in addresses and URLs. Pure. */

/** Whether a server that listens there listens on all addresses. */
export const isEverywhere = (host: string): boolean =>
  host === "0.0.0.0" || (host.includes(":") && /^[0:]+$/.test(host))

/**
 * `host:port` as Go, FFmpeg and log lines have it: an IPv6 address in brackets, its zone (`%eth0`) as it is. URLs that
 * are read by the standard want `urlAuthority`.
 */
export const authority = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** `host:port` in a URL, where the percent sign of a zone is escaped (RFC 3986, 3.2.2; RFC 6874, 2). */
export const urlAuthority = (host: string, port: number): string => authority(host.replace("%", "%25"), port)

/** The same without a port. */
export const urlHost = (host: string): string => urlAuthority(host, 0).slice(0, -2)

/**
 * Where this machine itself reaches a server that listens on `host`. One that listens everywhere is there on IPv4 as well,
 * also on `::`: Go and libuv both switch IPV6_V6ONLY off. And containers often have no `::1`.
 */
export const reachableHere = (host: string): string => (isEverywhere(host) ? "127.0.0.1" : host)

/** Where others reach a server that listens on `host`; one that listens everywhere is known by the machine's name. */
export const reachableByOthers = (host: string, machine: string): string => (isEverywhere(host) ? machine : host)

/**
 * Whoever is on this machine is its operator, or a proxy in front of us that may not say whose its requests are
 * (`server.trusted_proxies`): what comes from there is not counted as of one.
 */
export const isLoopback = (address: string): boolean =>
  address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.")

/** As IPv4 has it, where an address is one of IPv4 in IPv6's clothes (RFC 4291, 2.5.5.2): with dots, or as URLs write it. */
export const unmapped = (address: string): string => {
  const [, dotted, high = "", low = ""] =
    /^::ffff:(?:(\d+(?:\.\d+){3})|([\da-f]{1,4}):([\da-f]{1,4}))$/i.exec(address) ?? []
  if (dotted !== undefined) return dotted
  if (high === "") return address
  return [high, low]
    .map((word) => Number.parseInt(word, 16))
    .flatMap((word) => [word >> 8, word & 0xff])
    .join(".")
}

/** Who has one IPv6 address has its /64, 2^64 of them (RFC 4291, section 2.5.4): they count as one. */
export const networkOf = (address: string): string => {
  if (!address.includes(":") || address.includes(".")) return address
  const [before = "", after] = address.split("::")
  const head = before === "" ? [] : before.split(":")
  const tail = after === undefined || after === "" ? [] : after.split(":")
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length
  return [...head, ...Array.from({ length: zeros }, () => "0"), ...tail].slice(0, 4).join(":")
}

const name = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?"
const ipv6 = "[0-9A-Fa-f:]{2,39}"

/** An address or a host name and nothing else: no port, no brackets, nothing that means something else in a URL. */
export const plainHost = new RegExp(`^(?:${name}|${ipv6})$`, "u")

const authorityPattern = new RegExp(`^(?:${name}|\\[${ipv6}\\])(?::[0-9]{1,5})?$`, "u")

/** A Host header (RFC 9110, 7.2) that is a plain host, an IPv6 address in brackets, and a port if it names one. */
export const authorityIn = (header: string | undefined): string | undefined =>
  header !== undefined && authorityPattern.test(header) ? header : undefined

/** The port in such a header, where it names one. */
export const portOf = (header: string): number | undefined => {
  const port = /:([0-9]+)$/.exec(header)?.[1]
  return port === undefined ? undefined : Number(port)
}

/** The host in such a header, an IPv6 address without its brackets. */
export const hostOf = (header: string): string =>
  header.startsWith("[") ? header.slice(1, header.indexOf("]")) : (header.split(":")[0] ?? "")
