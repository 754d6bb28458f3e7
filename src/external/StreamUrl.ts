import * as Equal from "effect/Equal"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { ExternalStreamType } from "../../schema/External.ts"
import { InvalidParams } from "../../schema/Errors.ts"
import { parseAddress } from "../ground/IpAddress.ts"
import { plainHost, urlAuthority, urlHost } from "../config/Hosts.ts"

/** The URL of a camera's stream, taken apart. Pure. */
export interface StreamUrl {
  /**
   * The one way to write it: without credentials, a port that is the scheme's own, and capital letters in the host. What
   * may be a secret in its path or query is `***`. It is shown to everybody, and streams are told apart by it.
   */
  readonly text: string
  readonly scheme: Scheme
  /** a name, or a canonical IP address (IPv6 without its brackets) */
  readonly host: string
  readonly port: number
  /** what must be known beside the text to open it; nobody is shown it */
  readonly secret: Redacted.Redacted<StreamSecret>
}

export interface StreamSecret {
  readonly credentials?: { readonly user: string; readonly password: string }
  /** the path and the query, where the text does not show all of them */
  readonly resource?: string
}

/**
 * Whether who has the second one brings what opens a stream otherwise than the first: of one text. Without a user it brings none
 * in the place of one that is known.
 */
export const opensOtherwise = (known: StreamUrl, given: StreamUrl): boolean => {
  const [before, after] = [Redacted.value(known.secret), Redacted.value(given.secret)]
  const isLess = before.credentials !== undefined && after.credentials === undefined
  return !isLess && !Equal.equals(before, after)
}

export type Scheme = "rtsp" | "rtsps" | "http" | "https"

const schemePorts: Readonly<Record<Scheme, number>> = { rtsp: 554, rtsps: 322, http: 80, https: 443 }

const isScheme = (text: string): text is Scheme => Object.hasOwn(schemePorts, text)

/** Reads a URL as clients give it; what is wrong with it never repeats any of it. */
export const parseStreamUrl = (given: string): Result.Result<StreamUrl, InvalidParams> => {
  // what a URL parser would leave out or take for something else
  if (!/^[\x21-\x7e]+$/.test(given)) return broken("letters, digits and signs of ASCII, others as %XX")
  if (given.includes("\\")) return broken("no backslash")
  if (given.includes("#")) return broken("no #", "write # in a password as %23, / as %2F and ? as %3F")
  const url = URL.parse(given)
  const scheme = url?.protocol.slice(0, -1) ?? ""
  if (url === null || !isScheme(scheme)) {
    return broken(
      "a URL such as rtsp://user:password@192.168.1.64:554/stream1",
      "write @, :, / and ? in a user's name or password as %40, %3A, %2F and %3F"
    )
  }
  const host = hostIn(url)
  if (host === undefined) return broken("a host that is a name or an IP address")
  const port = url.port === "" ? schemePorts[scheme] : Number(url.port)
  if (port === 0) return broken("a port from 1 to 65535")
  const credentials = credentialsIn(url)
  if (credentials === undefined) return broken("a user and a password in which % is written as %25")
  const resource = url.pathname + url.search
  const shown = shownPath(url.pathname) + shownQuery(url.search)
  const authority = port === schemePorts[scheme] ? urlHost(host) : urlAuthority(host, port)
  return Result.succeed({
    text: `${scheme}://${authority}${shown}`,
    scheme,
    host,
    port,
    secret: Redacted.make({ ...credentials, ...(shown === resource ? {} : { resource }) })
  })
}

/** The type that a stream of this URL has where nobody names one; fails where the one that is named cannot be. */
export const typeFor = (
  { scheme }: StreamUrl,
  named: ExternalStreamType | undefined
): Result.Result<ExternalStreamType, InvalidParams> => {
  const isWeb = scheme === "http" || scheme === "https"
  if (named === undefined) return Result.succeed(isWeb ? "onvif" : "generic_rtsp")
  if (named === "onvif" || !isWeb) return Result.succeed(named)
  return broken("rtsp:// or rtsps://", "http:// and https:// are for stream_type onvif")
}

/** The request URI for the camera: it has the path and the query as they are, and no credentials. */
export const requestUri = ({ secret, text }: StreamUrl): string => {
  const { resource } = Redacted.value(secret)
  return resource === undefined ? text : text.replace(/(?<=^\w+:\/\/[^/?]+)[/?].*$/, () => resource)
}

const broken = (rule: string, hint = "a stream's URL has a scheme, a host, and mostly a path") =>
  Result.fail(new InvalidParams({ param: "stream_url", rule, hint }))

/** As HTTP's URLs have it (WHATWG URL, "host parsing"): octal, hexadecimal and short IPv4 addresses are made plain. */
const hostIn = ({ hostname }: URL): string | undefined => {
  const canonical = URL.parse(`http://${hostname}/`)?.hostname.replace(/\.$/, "") ?? ""
  const host = canonical.startsWith("[") ? withoutWrapping(canonical.slice(1, -1)) : canonical
  return plainHost.test(host) ? host : undefined
}

/** `::ffff:c0a8:140` is `192.168.1.64` (RFC 4291, 2.5.5.2), and is to be the same camera. */
const withoutWrapping = (text: string): string => {
  const address = parseAddress(text) ?? []
  return mapped.every((byte, at) => address[at] === byte) ? address.slice(12).join(".") : text
}

const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

const credentialsIn = ({ password, username }: URL): StreamSecret | undefined => {
  if (username === "" && password === "") return {}
  try {
    return { credentials: { user: decodeURIComponent(username), password: decodeURIComponent(password) } }
  } catch {
    return undefined
  }
}

/** Some cameras want credentials in the path: `/user=admin_password=secret_channel=1.sdp`, `/admin:secret@live`. */
const shownPath = (path: string): string =>
  path
    .replace(/(?<=\/)(?:[^/]*(?::|%3a).*(?:@|%40)[^/]*|[^/]*(?::|@|%3[ad]|%40)[^/]*)/gi, "***")
    .split(/([/;&]|_(?=[a-z]+=|\*\*\*))/i)
    .map((part) => (part.includes("=") ? shownPart(part) : part))
    .join("")

/** Others want them in the query. */
const shownQuery = (query: string): string =>
  query
    .split(/([?&;])/)
    .map((part) => (/^[?&;]?$/.test(part) ? part : shownPart(part)))
    .join("")

/** `name=value`: no list has all names of secrets; what has no value, or no plain name, may be one by itself. */
const shownPart = (part: string): string => {
  const [, name = "", value = ""] = /^([^=]*)=?(.*)$/.exec(part) ?? []
  const key = name.toLowerCase()
  // the number of a camera, or a user's name
  const isHarmless = key === "id" ? /^\d{1,3}$/.test(value) : harmless.has(key) && /^[\w.,+-]{0,32}$/.test(value)
  if (isHarmless) return part
  return /^=*$/.test(value) || !/^[\w.-]+$/.test(name) ? "***" : `${name}=***`
}

/** Names that hold no secret at any camera that is known, and that its streams are told apart by. */
const harmless = new Set([
  ...["camera", "cam", "cameraid", "channel", "channelid", "ch", "chid", "chn", "track", "trackid", "inst", "line"],
  ...["input", "source", "src", "monitor", "sensor", "view", "index", "number", "sms", "x0", "x1", "y0", "y1"],
  ...["stream", "streamid", "streamtype", "streamprofile", "substream", "subtype", "profile", "real_stream", "ssn"],
  ...["unicast", "multicast", "proto", "protocol", "transport", "transportmode", "linktype", "tcp", "udp"],
  ...["resolution", "res", "size", "width", "height", "codec", "videocodec", "audiocodec", "h264", "h265", "h26x"],
  ...["fps", "framerate", "bitrate", "quality", "qp", "compression", "audio", "video", "starttime", "endtime"]
])
