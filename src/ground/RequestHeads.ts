import type { IncomingMessage } from "node:http"

/** The path and the query, also of a target that names a server before them, as proxies are asked (RFC 9112, 3.2.2). */
export const targetOf = ({ url = "" }: IncomingMessage): string => {
  const [, rest] = /^https?:\/\/[^/?#]*(.*)$/i.exec(url) ?? []
  if (rest === undefined) return url
  return rest.startsWith("/") ? rest : `/${rest}`
}

/** What names two servers is a request to neither, and means one thing to a proxy and another to us (RFC 9112, 3.2). */
export const namesTwoHosts = ({ rawHeaders }: IncomingMessage): boolean =>
  rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host").length > 1

/** Any other protocol than WebSocket is none that we speak: such a request is answered as if it did not ask for it (RFC 9110, 7.8). */
export const wantsWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket"

/** The client sends its body once it is told to, or never (RFC 9110, 10.1.1). */
export const waitsForContinue = ({ headers }: IncomingMessage): boolean =>
  headers.expect?.toLowerCase() === "100-continue"
