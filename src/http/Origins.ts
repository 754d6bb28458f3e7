import type { HttpReply, RequestHead } from "../ground/Visits.ts"
import { refusal } from "./Refusal.ts"

/** Pages of other origins (RFC 6454), in browsers: which may connect and fetch, and how they are told (Fetch, 3.3 "CORS protocol"). */

/**
 * Browsers send the origin of the page with every WebSocket and every fetch from elsewhere: only our own pages, and those
 * the operator names, may connect (cross-site WebSocket hijacking). Programs send none.
 */
export const originAllowed = ({ headers }: RequestHead, allowed: ReadonlyArray<string>): boolean => {
  const { host, origin } = headers
  if (origin === undefined) return true
  if (typeof origin !== "string") return false
  return allowed.includes(origin) || (typeof host === "string" && URL.parse(origin)?.host === host.toLowerCase())
}

/** What a page is told that may not. */
export const otherOrigin = {
  error: "A page of another origin may not do this",
  suggestion: "have its origin added to server.allowed_origins"
}

/** Seconds for which a browser need not ask again; Chromium's most. */
const preflightAge = 7200

/** What a page may read of a reply beside what every page may. */
const exposed =
  "Accept-Patch, Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Link, Location, Retry-After"

/** The answer to a browser that asks what a page of another origin may send; undefined: it does not ask that. */
export const preflight = (request: RequestHead, allowed: ReadonlyArray<string>): HttpReply | undefined => {
  const { headers, method } = request
  const asks = headers["origin"] !== undefined && headers["access-control-request-method"] !== undefined
  if (method !== "OPTIONS" || !asks) return undefined
  if (!originAllowed(request, allowed))
    return refusal(403, otherOrigin.error, otherOrigin.suggestion, { vary: "Origin" })
  const allowance = {
    ...shared(request),
    "access-control-allow-methods": "GET, HEAD, POST, PATCH, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-API-Key",
    "access-control-max-age": preflightAge
  }
  return { status: 204, headers: allowance, body: "" }
}

/** The reply to a page of another origin, which may read it where that is allowed. */
export const withOrigin = (reply: HttpReply, request: RequestHead, allowed: ReadonlyArray<string>): HttpReply => ({
  ...reply,
  headers: {
    ...reply.headers,
    ...(originAllowed(request, allowed)
      ? { ...shared(request), "access-control-expose-headers": exposed }
      : { vary: "Origin" })
  }
})

/** Credentials are in headers that a page sends itself: nothing of a browser's own (cookies) is asked for. */
const shared = ({ headers: { origin } }: RequestHead) => ({
  "access-control-allow-origin": String(origin),
  vary: "Origin"
})
