import { type IpAddress, isIn, type IpNetwork, parseAddress, parseNetwork } from "../ground/IpAddress.ts"
import { authorityIn, isLoopback, unmapped } from "../config/Hosts.ts"
import type { RequestHead } from "../ground/Visits.ts"
import { one } from "./Credential.ts"

/** Whose a request is that came through proxies in front of us. Pure. */

/** What a proxy tells of who asked it. */
interface Hop {
  readonly address: string | undefined
  readonly protocol: string | undefined
  readonly host: string | undefined
}

/**
 * The request as its client sent it to the first proxy, as far as proxies are trusted: each tells who asked it, and is
 * believed where it is one of these networks. The first that is not is the client, and what it says of others is nothing.
 */
export const asSent = <Head extends RequestHead>(head: Head, trusted: ReadonlyArray<string>): Head => {
  if (trusted.length === 0) return head
  const networks = trusted.flatMap((text) => parseNetwork(text) ?? [])
  let { address } = head
  // what a stranger says is not even looked at
  if (!isTrusted(address, networks)) return head
  let last: Hop | undefined
  for (const hop of hopsOf(head.headers)) {
    if (!isTrusted(address, networks)) break
    last = hop
    // a proxy elsewhere has a loopback of its own: who is there is not on this machine
    if (hop.address === undefined || (isLoopback(hop.address) && !isLoopback(address))) break
    address = hop.address
  }
  if (last === undefined) return head
  const { host, protocol } = last
  return {
    ...head,
    address,
    isSecure: protocol === undefined ? head.isSecure : /^(?:https|wss)$/i.test(protocol),
    headers: { ...head.headers, host: authorityIn(host) ?? head.headers["host"] }
  }
}

/**
 * From the proxy that is next to us to the one that is next to the client; of what most proxies send, or of RFC 7239's
 * header where there is nothing of that.
 */
const hopsOf = (headers: RequestHead["headers"]): ReadonlyArray<Hop> => {
  const addresses = listIn(headers["x-forwarded-for"])
  const protocols = listIn(headers["x-forwarded-proto"])
  const hosts = listIn(headers["x-forwarded-host"])
  if (addresses.length + protocols.length + hosts.length === 0) return listIn(headers["forwarded"]).map(readElement)
  // a proxy that knows what came before it leaves protocol and host as they are, where it puts an address beside
  return Array.from({ length: Math.max(1, addresses.length) }, (_, at) => ({
    address: addressIn(addresses[at] ?? ""),
    protocol: protocols[at] ?? protocols.at(-1),
    host: hosts[at] ?? hosts.at(-1)
  }))
}

/**
 * The entries of such a list, the last first. Quotes do not count: what a proxy writes at the end has no comma in them, and
 * what its client wrote before must not reach over to that.
 */
const listIn = (header: RequestHead["headers"][string]): ReadonlyArray<string> =>
  (one(header) ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .toReversed()

/** `for=192.0.2.60;proto=https;host=cam.example`, values in quotes or without (RFC 7239, 4). */
const readElement = (element: string): Hop => {
  const pairs = new Map(
    element.split(";").map((pair) => {
      const [name = "", value = ""] = pair.split("=", 2)
      return [name.trim().toLowerCase(), value.trim().replaceAll('"', "")]
    })
  )
  return { address: addressIn(pairs.get("for") ?? ""), protocol: pairs.get("proto"), host: pairs.get("host") }
}

/** An IP address with or without a port, one of IPv6 in brackets or not; nothing of `unknown` and of names that hide it. */
const addressIn = (node: string): string | undefined => {
  const [, inBrackets, ipv4] = /^(?:\[(.*)\]|([^:]*))(?::\d+)?$/.exec(node) ?? []
  const address = unmapped(inBrackets ?? ipv4 ?? node)
  return parseAddress(address) === undefined ? undefined : address
}

const isTrusted = (text: string, networks: ReadonlyArray<IpNetwork>): boolean => {
  const address: IpAddress | undefined = parseAddress(unmapped(text.replace(/%.*$/, "")))
  return address !== undefined && networks.some((network) => isIn(network, address))
}
