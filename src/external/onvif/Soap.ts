import type { OnvifCall } from "./OnvifCalls.ts"
import { at, type Element, escapeXml, textAt } from "./Xml.ts"

/** ONVIF's envelopes: SOAP 1.2, with a user's name token where there is one (WS-Security). Pure. */

export const contentType = ({ name, namespace }: OnvifCall<unknown>): string =>
  `application/soap+xml; charset=utf-8; action="${namespace}/${name}"`

/** What a user shows, once (WSS UsernameToken Profile 1.1, 3.1). */
export interface UsernameToken {
  readonly user: string
  /** base64 of SHA-1 of the nonce's bytes, `created` and the password */
  readonly digest: string
  /** base64 */
  readonly nonce: string
  /** ISO 8601 in UTC, by the clock of who is asked */
  readonly created: string
}

const wss = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"

export const request = (
  { name, namespace, parameters }: OnvifCall<unknown>,
  token: UsernameToken | undefined
): string => {
  const header = token === undefined ? "" : `<s:Header>${security(token)}</s:Header>`
  return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">${header}<s:Body><${name} xmlns="${namespace}">${parameters}</${name}></s:Body></s:Envelope>`
}

const security = ({ created, digest, nonce, user }: UsernameToken): string =>
  `<Security s:mustUnderstand="1" xmlns="${wss}-wssecurity-secext-1.0.xsd"><UsernameToken><Username>${escapeXml(user)}</Username><Password Type="${wss}-username-token-profile-1.0#PasswordDigest">${digest}</Password><Nonce EncodingType="${wss}-soap-message-security-1.0#Base64Binary">${nonce}</Nonce><Created xmlns="${wss}-wssecurity-utility-1.0.xsd">${created}</Created></UsernameToken></Security>`

/** What a reply says. */
export type Said =
  | { readonly _tag: "Answer"; readonly answer: Element }
  /** the device refuses; `isAuthorization`: for want of rights */
  | { readonly _tag: "Fault"; readonly detail: string; readonly isAuthorization: boolean }
  | { readonly _tag: "Nonsense" }

export const saidIn = (envelope: Element, { name }: OnvifCall<unknown>): Said => {
  const body = at(envelope, "Body")
  const answer = at(body, `${name}Response`)
  if (envelope.name === "Envelope" && answer !== undefined) return { _tag: "Answer", answer }
  const fault = at(body, "Fault")
  return fault === undefined ? { _tag: "Nonsense" } : { _tag: "Fault", ...faultOf(fault) }
}

/** SOAP 1.2's, or 1.1's, which some send all the same. */
const faultOf = (fault: Element) => {
  const code = textAt(fault, "Code", "Value") ?? textAt(fault, "faultcode") ?? ""
  const subcodes = [textAt(fault, "Code", "Subcode", "Value"), textAt(fault, "Code", "Subcode", "Subcode", "Value")]
  const reason = textAt(fault, "Reason", "Text") ?? textAt(fault, "faultstring") ?? code
  // ter:NotAuthorized (Core, 5.11.2), wsse:FailedAuthentication and its kin (WSS 1.1, 12)
  const isAuthorization =
    [code, ...subcodes].some((one = "") =>
      /(?:NotAuthorized|FailedAuthentication|InvalidSecurity|SecurityTokenUnavailable)$/.test(one)
    ) || /not authori[sz]ed/i.test(reason)
  return { detail: reason.slice(0, maxDetail), isAuthorization }
}

const maxDetail = 200
