import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { WebReply, WebRequest } from "../../src/ground/WebExchange.ts"

/** An ONVIF camera as cheap ones are: it reads what it is asked with regular expressions. */
export interface PlayedCamera {
  readonly user?: { readonly name: string; readonly password: string }
  /** milliseconds that its clock is ahead of the right time */
  readonly clockAhead?: number
  /** and what it tells of it, beside that */
  readonly tellsAhead?: number
  /** what it calls its host: one that is not where it is reached */
  readonly host?: string
  /** it can be moved, and has these presets, by their tokens */
  readonly ptz?: Readonly<Record<string, string>>
  /** its services are reached over TLS */
  readonly isSecure?: boolean
  /** HTTP's digest in place of WS-Security */
  readonly wantsHttpDigest?: boolean
  /** what it has at its address for pictures, which wants the user by HTTP's digest; absent: it knows no such address */
  readonly picture?: WebReply | (() => Effect.Effect<WebReply>)
  /** in place of its answer to a call, or a change of it */
  readonly instead?: Readonly<Record<string, (answer: string, request: string) => string | WebReply>>
}

/** What a played camera was asked, and how often it refused a password. */
export interface Seen {
  readonly calls: Array<string>
  readonly requests: Array<WebRequest>
  refusals: number
}

/** As much as a camera's clock may differ from a user's (IP cameras: 5 s to 5 min). */
const clockWindow = 30_000

export const soap = (body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" xmlns:ter="http://www.onvif.org/ver10/error"><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`

export const fault = (subcode: string, text: string): string =>
  soap(
    `<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>ter:${subcode}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">${text}</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>`
  )

export const reply = (body: string, status = 200, challenges: ReadonlyArray<string> = []): WebReply => ({
  status,
  contentType: "application/soap+xml",
  challenges,
  body: new TextEncoder().encode(body)
})

/** What it says to who asks all in its network (WS-Discovery). */
export const probeMatch = (probe: string, xaddrs: string): string =>
  `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><a:RelatesTo>${/MessageID[^>]*>([^<]+)</.exec(probe)?.[1] ?? ""}</a:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/Front%20door</d:Scopes><d:XAddrs>${xaddrs}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>`

const ptzConfiguration = '<tt:PTZConfiguration token="ptz"><tt:NodeToken>n</tt:NodeToken></tt:PTZConfiguration>'

const profile = (token: string, name: string, encoding: string, width: number, height: number) =>
  `<trt:Profiles token="${token}" fixed="true"><tt:Name>${name}</tt:Name><tt:VideoEncoderConfiguration token="ve"><tt:Encoding>${encoding}</tt:Encoding><tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit></tt:RateControl></tt:VideoEncoderConfiguration></trt:Profiles>`

const profiles = {
  p0: profile("p0", "mainStream", "JPEG", 1920, 1080),
  p1: profile("p1", "subStream", "H264", 640, 480)
}

const service = (namespace: string, address: string) =>
  `<tds:Service><tds:Namespace>http://www.onvif.org/${namespace}/wsdl</tds:Namespace><tds:XAddr>${address}</tds:XAddr></tds:Service>`

const capability = (name: string, address: string) => `<tt:${name}><tt:XAddr>${address}</tt:XAddr></tt:${name}>`

const answers = (
  { host = "10.0.0.1", isSecure = false, picture, ptz }: PlayedCamera,
  now: Date
): Readonly<Record<string, (request: string) => string | undefined>> => {
  const at = `${isSecure ? "https" : "http"}://${host}`
  const all = Object.values(profiles).join("")
  return {
    GetSystemDateAndTime: () =>
      `<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:UTCDateTime><tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>`,
    GetDeviceInformation: () =>
      "<tds:Manufacturer>Acme</tds:Manufacturer><tds:Model>Dome &amp; Co</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>SN1</tds:SerialNumber>",
    GetServices: () =>
      service("ver10/media", `${at}/onvif/media_service`) +
      (ptz === undefined ? "" : service("ver20/ptz", `${at}/onvif/ptz_service`)),
    GetCapabilities: () =>
      `<tds:Capabilities>${capability("Device", `${at}/onvif/device_service`)}${capability("Media", `${at}/onvif/media_service`)}${ptz === undefined ? "" : capability("PTZ", `${at}/onvif/ptz_service`)}</tds:Capabilities>`,
    GetProfiles: () => (ptz === undefined ? all : all.replaceAll("</trt:Profiles>", `${ptzConfiguration}$&`)),
    GetProfile: (request) =>
      (/ProfileToken>p0</.test(request) ? profiles.p0 : profiles.p1).replaceAll("trt:Profiles", "trt:Profile"),
    GetStreamUri: (request) =>
      `<trt:MediaUri><tt:Uri>rtsp://${host.replace(/:\d+$/, "")}:554/${/ProfileToken>(\w+)</.exec(request)?.[1]}?a=1&amp;b=2</tt:Uri></trt:MediaUri>`,
    GetSnapshotUri: (request) =>
      picture === undefined
        ? undefined
        : `<trt:MediaUri><tt:Uri>${at}/picture?of=${/ProfileToken>(\w+)</.exec(request)?.[1]}</tt:Uri></trt:MediaUri>`,
    SetSynchronizationPoint: () => "",
    ContinuousMove: () => (ptz === undefined ? undefined : ""),
    Stop: () => (ptz === undefined ? undefined : ""),
    GetPresets: () =>
      Object.entries(ptz ?? {})
        .map(([token, name]) => `<tptz:Preset token="${token}"><tt:Name>${name}</tt:Name></tptz:Preset>`)
        .join(""),
    GotoPreset: (request) =>
      Object.hasOwn(ptz ?? {}, /PresetToken>([^<]*)</.exec(request)?.[1] ?? "") ? "" : undefined
  }
}

const challenge = ['Digest realm="cam", nonce="n0nce", qop="auth", algorithm=MD5']

/** What is asked, whatever prefixes it is asked with. */
export const callIn = (body: string): string => /<[\w-]+:Body>\s*<(?:[\w-]+:)?(\w+)/.exec(body)?.[1] ?? ""

const prefixOf = (call: string): string => {
  if (/^(?:Get(?:Profiles?|StreamUri|SnapshotUri)|SetSynchronizationPoint)$/.test(call)) return "trt"
  return /^(?:ContinuousMove|Stop|GetPresets|GotoPreset)$/.test(call) ? "tptz" : "tds"
}

const open = new Set(["GetSystemDateAndTime", "GetServices", "GetCapabilities"])

/** What such a camera answers, and what it saw. */
export const playCamera = (played: PlayedCamera = {}) => {
  const { clockAhead = 0, instead = {}, picture, tellsAhead = 0, user, wantsHttpDigest = false } = played
  const seen: Seen = { calls: [], requests: [], refusals: 0 }
  const shown = (request: WebRequest): Effect.Effect<WebReply> => {
    seen.requests.push(request)
    if (user !== undefined && !httpOk(request, user)) {
      if (request.headers["authorization"] !== undefined) seen.refusals++
      return Effect.succeed(reply("", 401, challenge))
    }
    return typeof picture === "function" ? picture() : Effect.succeed(picture ?? reply("", 404))
  }
  const answerCall = (request: WebRequest) =>
    Effect.map(Clock.currentTimeMillis, (time): WebReply => {
      const body = request.body ?? ""
      const call = callIn(body)
      const now = new Date(time + clockAhead)
      seen.calls.push(call)
      seen.requests.push(request)
      const isKnown =
        user === undefined || open.has(call) || (wantsHttpDigest ? httpOk(request, user) : tokenOk(body, user, now))
      if (!isKnown) {
        seen.refusals++
        return wantsHttpDigest ? reply("", 401, challenge) : reply(fault("NotAuthorized", "Sender not Authorized"), 400)
      }
      const inner = answers(played, new Date(now.getTime() + tellsAhead))[call]?.(body)
      const whole =
        inner === undefined
          ? fault("ActionNotSupported", "no such call")
          : soap(`<${prefixOf(call)}:${call}Response>${inner}</${prefixOf(call)}:${call}Response>`)
      const changed = instead[call]?.(whole, body) ?? whole
      return typeof changed === "string" ? reply(changed, inner === undefined ? 400 : 200) : changed
    })
  const answer = (request: WebRequest) => (request.method === "GET" ? shown(request) : answerCall(request))
  return { answer, seen }
}

type User = NonNullable<PlayedCamera["user"]>

const hash = (algorithm: string, ...parts: ReadonlyArray<string | Uint8Array>) =>
  parts.reduce((sum, part) => sum.update(part), createHash(algorithm))

const tokenOk = (body: string, { name, password }: User, now: Date): boolean => {
  const field = (tag: string) => new RegExp(`<(?:\\w+:)?${tag}[^>]*>([^<]*)</`).exec(body)?.[1] ?? ""
  const created = field("Created")
  const digest = hash("sha1", Buffer.from(field("Nonce"), "base64"), created, password).digest("base64")
  const isFresh = Math.abs(Date.parse(created) - now.getTime()) <= clockWindow
  return field("Username") === name && field("Password") === digest && isFresh
}

const httpOk = ({ headers, method, target }: WebRequest, { name, password }: User): boolean => {
  const shown = headers["authorization"] ?? ""
  const field = (key: string) => new RegExp(`\\b${key}="?([^",]*)`).exec(shown)?.[1] ?? ""
  const md5 = (text: string) => hash("md5", text).digest("hex")
  const a1 = md5(`${name}:cam:${password}`)
  const a2 = md5(`${method}:${target}`)
  const whole = md5(`${a1}:n0nce:${field("nc")}:${field("cnonce")}:auth:${a2}`)
  return field("username") === name && field("uri") === target && field("response") === whole
}
