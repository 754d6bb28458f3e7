import { headerOf, type Reply } from "./Message.ts"
import { RtspFailed } from "./RtspFailed.ts"

const kinds: ReadonlyMap<number, RtspFailed["kind"]> = new Map([
  [403, "AUTH_FAILED"],
  [404, "NOT_FOUND"],
  [410, "NOT_FOUND"],
  // not enough bandwidth, which is how cameras say that they have enough viewers; some say 503
  [453, "SESSION_LIMIT"],
  [503, "SESSION_LIMIT"]
])

/** The host of an address, of which nothing else is told: what stands around it may be anything. */
const hostIn = (location: string): string | undefined =>
  /^[a-z]+:\/\/(?:[^/@\s]*@)?([\w.:[\]-]{1,128})/i.exec(location)?.[1]

/** What a reply that is no success means (RFC 2326, section 11; RFC 7826, section 17). */
export const failureOf = (method: string, { headers, status }: Pick<Reply, "headers" | "status">): RtspFailed => {
  if (status >= 300 && status < 400) {
    const host = hostIn(headerOf(headers, "location") ?? "")
    return new RtspFailed({ kind: "REDIRECTED", detail: `it sends to ${host ?? "another address"}` })
  }
  return new RtspFailed({ kind: kinds.get(status) ?? "PROTOCOL", detail: `it answered ${status} to ${method}` })
}
