import { createHash } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { namesTwoHosts, wantsWebSocket } from "./RequestHeads.ts"

/** What a server proves that it knows WebSocket with (RFC 6455, section 1.3). */
const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** The answer to an opening handshake (RFC 6455, section 4.2), or the status of its refusal. */
export const handshake = (request: IncomingMessage): string | number => {
  const { headers, method } = request
  if (method !== "GET") return 405
  const key = headers["sec-websocket-key"]
  const isOurs = wantsWebSocket(request) && headers["sec-websocket-version"] === "13"
  if (!isOurs || namesTwoHosts(request) || key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key)) return 400
  // browsers fail where none of those that they offered is chosen; we know none, so any will do
  const [, protocol] =
    /^\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*(?:,|$)/.exec(headers["sec-websocket-protocol"] ?? "") ?? []
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${createHash("sha1")
      .update(key + magic)
      .digest("base64")}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`])
  ]
  return `${lines.join("\r\n")}\r\n\r\n`
}
