import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as Socket from "effect/socket/Socket"

/** Opens a WebSocket, where the runtime has none of its own: `(url) => new WebSocket(url)`, with that of the package ws. */
export type OpenWebSocket = (url: string) => Socket.WebSocketLike

/** For how long a connection may be opened, and how long the service may be silent before it counts as gone. */
const limit = "10 seconds"

/** What makes it useless to try, as a sentence; undefined: nothing. */
export const obstacle = (url: string, openWebSocket: OpenWebSocket | undefined): string | undefined => {
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
    return "The address of a service is a URL such as ws://127.0.0.1:8002/ws, and this one is not."
  }
  if (openWebSocket === undefined && globalThis.WebSocket === undefined) {
    return "This JavaScript runtime has no WebSocket: use Node 22 or later, or give one as the option openWebSocket."
  }
  return undefined
}

/** A socket that is opened anew for each connection. */
export const dial = (url: string, openWebSocket: OpenWebSocket = (address) => new globalThis.WebSocket(address)) =>
  Socket.fromWebSocket(
    Effect.acquireRelease(
      Effect.try({
        try: () => openWebSocket(url),
        catch: (cause) => new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause }) })
      }),
      (socket) => Effect.sync(() => socket.close(1000))
    ),
    { openTimeout: limit }
  )

/** The address without what may be a secret in it. */
const shown = (url: string): string => {
  const { host, pathname, protocol } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

export const brokenOff = (url: string) => `The connection to ${shown(url)} broke off.`
export const silence = (url: string) => `${shown(url)} does not answer.`

/** How a connection ended, or was not made, as a sentence. */
export const describeLoss = (url: string, reason: RpcClientError["reason"]): string => {
  const at = shown(url)
  switch (reason._tag) {
    case "SocketCloseError":
      return reason.closeReason
        ? `The connection to ${at} was closed: ${reason.closeReason} (${reason.code}).`
        : brokenOff(url)
    case "SocketReadError":
      return reason.cause instanceof Error && reason.cause.message === "ping timeout" ? silence(url) : brokenOff(url)
    case "SocketOpenError":
      return `No WebSocket can be opened at ${at}${reason.kind === "Timeout" ? ` within ${limit}` : ""}.`
    case "RpcClientDefect":
      return `What came from ${at} cannot be read: ${reason.message}.`
    default:
      return `The connection to ${at} failed: ${reason.message}.`
  }
}

/** How the address of a service answers when it is asked for as a page; undefined: nobody does. */
const statusAt = (url: string): Effect.Effect<number | undefined> =>
  Effect.tryPromise((signal) =>
    // a page of another origin does not learn the status: it is 0 there
    fetch(url.replace(/^ws/, "http"), { signal, mode: "no-cors" }).then(({ status }) => status)
  ).pipe(
    Effect.timeout(limit),
    Effect.orElseSucceed(() => undefined)
  )

export interface Loss {
  readonly message: string
  /** nobody listens there, for all that can be told */
  readonly isDeserted: boolean
}

/**
 * As `describeLoss`. No platform says why it could not open a WebSocket: a plain request to the same address tells whether
 * anybody is there, and, where the page that asks may know it, how that answers.
 */
export const explainLoss = (url: string, reason: Socket.SocketErrorReason): Effect.Effect<Loss> => {
  const seen = describeLoss(url, reason)
  if (reason._tag !== "SocketOpenError" || reason.kind === "Timeout") {
    return Effect.succeed({ message: seen, isDeserted: false })
  }
  return Effect.map(statusAt(url), (status) =>
    status === undefined
      ? { message: `${seen} Nobody answers there: does the service run, and is this its address?`, isDeserted: true }
      : { message: `${seen} ${answers.get(status) ?? refusing}`, isDeserted: false }
  )
}

const firstLook = 100
const lastLook = 1000

/**
 * Waits until somebody listens there. Browsers hold up a page that tries WebSocket after WebSocket in vain, by seconds at
 * last (Chromium's `websocket_throttler.cc`); plain requests they do not.
 */
export const awaitSomebody = (url: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let looks = 0; ; looks++) {
      const pause = Math.min(firstLook * 2 ** Math.min(looks, 10), lastLook)
      yield* Effect.sleep(pause * (0.5 + (yield* Random.next) / 2))
      if ((yield* statusAt(url)) !== undefined) return
    }
  })

/** The status of a WebSocket's address when it is asked for as a page (RFC 9110, 15.5.22). */
const upgradeRequired = 426

const refusing = "Somebody answers there, and refuses it: check the path (/ws)."
const answers: ReadonlyMap<number, string> = new Map([
  [
    upgradeRequired,
    "The service is there, and refuses it: it has too many connections, is about to end, or its setting server.allowed_origins does not name this page's origin."
  ],
  [
    0,
    "Somebody answers there, and refuses it: check the path (/ws), and that the service's setting server.allowed_origins names this page's origin."
  ]
])
