import * as Redacted from "effect/Redacted"
import { hashHex } from "../ground/Hashes.ts"
import type { RtspCredentials } from "./Target.ts"

/** How a server asks who we are (RFC 7617, RFC 7616), and our answers. */

export interface Challenge {
  readonly scheme: "basic" | "digest"
  readonly parameters: ReadonlyMap<string, string>
}

const schemes = /^(basic|digest)$/i
const maxParameters = 64

/** `token=value`, `token="value"`, a scheme, or a comma, at the beginning of what is left. */
const item =
  /^\s*(?:([!#$%&'*+\-.^_`|~\w]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([!#$%&'*+\-.^_`|~\w]+)(?=\s|,|$)|,)/

/** The challenges in `WWW-Authenticate` headers, of which one may have several (RFC 9110, 11.6.1). */
export const challengesIn = (values: ReadonlyArray<string>): ReadonlyArray<Challenge> => {
  const found: Array<Challenge> = []
  let current: Map<string, string> | undefined
  for (const value of values) {
    let rest = value
    for (let parameters = 0; rest.trim() !== "" && parameters < maxParameters; parameters++) {
      const match = item.exec(rest)
      if (match === null) break
      const [all, name, quoted, bare, word] = match
      rest = rest.slice(all.length)
      if (word !== undefined) {
        const scheme = schemes.exec(word)?.[1]?.toLowerCase()
        current = scheme === undefined ? undefined : new Map()
        if (current !== undefined) found.push({ scheme: scheme === "basic" ? "basic" : "digest", parameters: current })
      } else if (name !== undefined) {
        current?.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? bare ?? "")
      }
    }
  }
  return found
}

const hashes = { MD5: "md5", "SHA-256": "sha256", "SHA-512-256": "sha512-256" } as const
type Algorithm = keyof typeof hashes
const isAlgorithm = (text: string): text is Algorithm => text in hashes
const strength: Readonly<Record<Algorithm, number>> = { MD5: 1, "SHA-256": 2, "SHA-512-256": 3 }

interface DigestWay {
  readonly algorithm: Algorithm
  /** the algorithm as it was written, which is given back so */
  readonly written: string | undefined
  readonly isSession: boolean
  readonly hasQop: boolean
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
}

/** How we can answer a challenge. */
export type Way = { readonly scheme: "basic" } | ({ readonly scheme: "digest" } & DigestWay)

const digestWay = ({ parameters }: Challenge): Way | undefined => {
  const written = parameters.get("algorithm")
  const [, name = "", session] = /^(.*?)(-sess)?$/i.exec((written ?? "MD5").toUpperCase()) ?? []
  const nonce = parameters.get("nonce")
  const qop = parameters.get("qop")
  const offers = (qop ?? "auth").split(",").map((word) => word.trim().toLowerCase())
  // auth-int alone would sign bodies, which no camera asks for
  if (!isAlgorithm(name) || nonce === undefined || !offers.includes("auth")) return undefined
  return {
    scheme: "digest",
    algorithm: name,
    written,
    isSession: session !== undefined,
    hasQop: qop !== undefined,
    realm: parameters.get("realm") ?? "",
    nonce,
    opaque: parameters.get("opaque")
  }
}

const strengthOf = (way: Way): number =>
  way.scheme === "basic" ? 0 : strength[way.algorithm] * 2 + (way.isSession ? 1 : 0)

/** The strongest way to answer; undefined: there is none that we know, or may use (`allowsBasic`). */
export const strongestWay = (challenges: ReadonlyArray<Challenge>, allowsBasic: boolean): Way | undefined =>
  challenges
    .flatMap((challenge) => {
      if (challenge.scheme === "basic") return allowsBasic ? [{ scheme: "basic" } as const] : []
      const way = digestWay(challenge)
      return way === undefined ? [] : [way]
    })
    .sort((a, b) => strengthOf(b) - strengthOf(a))[0]

/** Whether the server says that it only wants another nonce: the password was right (RFC 7616, 3.3). */
export const isStale = (challenges: ReadonlyArray<Challenge>): boolean =>
  challenges.some(({ parameters }) => parameters.get("stale")?.toLowerCase() === "true")

export interface Signed {
  readonly method: string
  readonly uri: string
  /** how often this nonce was used, with this time */
  readonly count: number
  readonly cnonce: string
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`

/** The value of an `Authorization` header. */
export const authorization = (
  way: Way,
  { password: hidden, user }: RtspCredentials,
  { cnonce, count, method, uri }: Signed
): string => {
  const password = Redacted.value(hidden)
  if (way.scheme === "basic") return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
  const { algorithm, hasQop, isSession, nonce, opaque, realm, written } = way
  const hash = (text: string) => hashHex(hashes[algorithm], text)
  const secret = hash(`${user}:${realm}:${password}`)
  const a1 = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret
  const a2 = hash(`${method}:${uri}`)
  const nc = count.toString(16).padStart(8, "0")
  const response = hash(hasQop ? `${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}` : `${a1}:${nonce}:${a2}`)
  const parts = [
    ...[`username=${quoted(user)}`, `realm=${quoted(realm)}`, `nonce=${quoted(nonce)}`, `uri=${quoted(uri)}`],
    `response="${response}"`,
    ...(written === undefined ? [] : [`algorithm=${written}`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(hasQop ? ["qop=auth", `nc=${nc}`] : []),
    ...(hasQop || isSession ? [`cnonce="${cnonce}"`] : [])
  ]
  return `Digest ${parts.join(", ")}`
}
