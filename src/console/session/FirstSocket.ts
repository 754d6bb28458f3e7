import { tokenIn } from "./LoginLink.ts"

/**
 * The first connection of who follows a link that logs in: it is opened while the rest of the page is on its way, for this is
 * a script of its own (scripts/console.ts). Anybody else would come without a login, and be sent away.
 */
export const serviceUrl = `${location.origin.replace(/^http/, "ws")}/ws`

let first = tokenIn(location.hash) === undefined ? undefined : new WebSocket(serviceUrl)

/** The connection that was begun, if it still is one; else another. */
export const openWebSocket = (url: string): WebSocket => {
  const begun = first
  first = undefined
  return begun !== undefined && begun.readyState <= WebSocket.OPEN ? begun : new WebSocket(url)
}
