import { allOf, at, type Element, escapeXml, textAt } from "./Xml.ts"

/** What is said and heard in WS-Discovery, in the words of the draft of April 2005 that ONVIF made its own. Pure. */

const addressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
const discovery = "http://schemas.xmlsoap.org/ws/2005/04/discovery"

/**
 * The types that cameras are asked for, each by a message of its own, for only a device that is of all types of a message
 * answers it: old cameras are of the first alone, some new ones of the second (ONVIF Core, 7.3).
 */
export const cameraTypes = ["dn:NetworkVideoTransmitter", "tds:Device"]

/**
 * Asks for cameras of this type. Cameras are seen that read no more than 4 KB. The words of WS-Discovery 1.1 are told to nobody:
 * what plays a camera may end at them (WSDiscovery 2.0.0 does), and every ONVIF device understands the others.
 */
export const probeMessage = (type: string, messageId: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="${addressing}" xmlns:d="${discovery}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Header><a:Action s:mustUnderstand="1">${discovery}/Probe</a:Action><a:MessageID>${escapeXml(messageId)}</a:MessageID><a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body><d:Probe><d:Types>${type}</d:Types></d:Probe></s:Body></s:Envelope>`

/** A device that answered. */
export interface ProbeMatch {
  /** its name for good, as a rule `urn:uuid:…`, by its own word */
  readonly endpoint: string
  /** where its device service is, by its own word */
  readonly addresses: ReadonlyArray<string>
  readonly scopes: ReadonlyArray<string>
}

const maxMatches = 16
const maxAddresses = 8
const maxScopes = 64

/** The cameras in an answer to one of the messages that were sent; what is no answer to them, or no camera, is none. */
export const matchesIn = (envelope: Element, sent: ReadonlySet<string>): ReadonlyArray<ProbeMatch> => {
  const relatesTo = textAt(envelope, "Header", "RelatesTo")
  if (relatesTo === undefined || !sent.has(relatesTo)) return []
  const body = at(envelope, "Body")
  // some leave the list around them out
  return [...allOf(at(body, "ProbeMatches"), "ProbeMatch"), ...allOf(body, "ProbeMatch")]
    .slice(0, maxMatches)
    .flatMap(matchOf)
}

const matchOf = (match: Element): ReadonlyArray<ProbeMatch> => {
  const addresses = wordsAt(match, "XAddrs").slice(0, maxAddresses)
  const scopes = wordsAt(match, "Scopes").slice(0, maxScopes)
  if (addresses.length === 0 || !isCamera(wordsAt(match, "Types"), scopes)) return []
  return [{ endpoint: textAt(match, "EndpointReference", "Address") ?? "", addresses, scopes }]
}

/** Printers and scanners answer as well, some of them whatever was asked for. */
const isCamera = (types: ReadonlyArray<string>, scopes: ReadonlyArray<string>): boolean =>
  types.some((type) => /^(?:[^:]*:)?NetworkVideoTransmitter$/.test(type)) ||
  scopes.some((scope) =>
    /^onvif:\/\/www\.onvif\.org\/(?:type\/(?:Network_Video_Transmitter|video_encoder)|Profile\/)/i.test(scope)
  )

const wordsAt = (element: Element, name: string): ReadonlyArray<string> =>
  (textAt(element, name) ?? "").split(/\s+/).filter((word) => word !== "")

/** What a device calls itself (ONVIF Core, 7.3.2.2): `onvif://www.onvif.org/name/Front%20door`, else its hardware. */
export const nameIn = (scopes: ReadonlyArray<string>): string | undefined =>
  scopeIn(scopes, "name") ?? scopeIn(scopes, "hardware")

const maxName = 64

const scopeIn = (scopes: ReadonlyArray<string>, kind: string): string | undefined => {
  const begin = `onvif://www.onvif.org/${kind}/`
  const scope = scopes.find((one) => one.toLowerCase().startsWith(begin))?.slice(begin.length)
  const name =
    scope === undefined
      ? ""
      : decoded(scope)
          .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}_]+/gu, " ")
          .trim()
  return name === "" ? undefined : name.slice(0, maxName).trim()
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
