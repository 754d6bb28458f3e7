import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { connect as connectPlain, type Socket } from "node:net"
import type { connect as connectSecure } from "node:tls"
import { shownFingerprint } from "./Fingerprint.ts"
import { monotonicNow } from "./Time.ts"

/** The other end could not be connected to. `code` is the errno's name (`ECONNREFUSED`), or what TLS says of it. */
export class NotConnected extends Schema.TaggedError<NotConnected>()("NotConnected", {
  code: Schema.String,
  detail: Schema.String
}) {}

/** A server in the network. */
export interface RemoteServer {
  /** an IP literal: no name is looked up */
  readonly address: string
  readonly port: number
  readonly isSecure: boolean
}

/** What is heard on a connection; nothing after its end. */
export interface Ears {
  readonly heard: (bytes: Uint8Array) => void
  /** the other end closed it, or it broke, and why */
  readonly ended: (why: string) => void
}

/** A connection; its end is its scope's. */
export interface Connection {
  readonly send: (bytes: Uint8Array) => void
  /** bytes that the other end has yet to take */
  readonly unsent: () => number
  /** SHA-256 of the other end's certificate, in hex, where it is secure; whom it belongs to was not looked at */
  readonly fingerprint: string | undefined
}

/** Milliseconds that the last bytes may take to leave. */
const lastWords = 500
/** Milliseconds after which others have their turn. */
const longTurn = 5
/** Below it a turn's end is not looked at, which most are. */
const shortTurn = 1

/** TCP connections to servers in the network. */
export class Tcp extends Context.Service<
  Tcp,
  {
    /** as long as the scope lives; what is heard before the ears are there is not lost */
    readonly connect: (server: RemoteServer, ears: Ears) => Effect.Effect<Connection, NotConnected, Scope.Scope>
  }
>()("camera-service/ground/Tcp") {
  /** Node's. */
  static readonly layer = Layer.sync(Tcp, () => Tcp.of({ connect }))
}

/** A socket that is being connected. */
interface Dialled {
  readonly socket: Socket
  /** the event that says that it is connected */
  readonly ready: "connect" | "secureConnect"
  /** of its certificate then */
  readonly fingerprint: () => string | undefined
}

const dialPlain = ({ address, port }: RemoteServer): Dialled => {
  const socket = connectPlain({ host: address, port, noDelay: true })
  return { socket, ready: "connect", fingerprint: () => undefined }
}

const dialSecure = ({ address, port }: RemoteServer, connect: typeof connectSecure): Dialled => {
  // cameras sign their certificates themselves: who asks looks at the fingerprint
  const socket = connect({ host: address, port, rejectUnauthorized: false })
  socket.setNoDelay(true)
  return { socket, ready: "secureConnect", fingerprint: () => shownFingerprint(socket) }
}

/** What was said last is to be heard, by who listens. */
const close = ({ socket }: Dialled) =>
  Effect.sync(() => {
    if (socket.connecting) return socket.destroy()
    // what comes is nobody's any more, and puts the end off no longer
    socket.removeAllListeners("data").resume()
    const last = setTimeout(() => socket.destroy(), lastWords).unref()
    socket.once("close", () => clearTimeout(last))
    return socket.destroySoon()
  })

/** Who waits for a connection that never comes may give it up at any time. */
const connect = Effect.fnUntraced(function* (server: RemoteServer, ears: Ears) {
  // 2 MB, which few need
  const tls = server.isSecure ? yield* Effect.promise(() => import("node:tls")) : undefined
  const dialled = yield* Effect.acquireRelease(
    Effect.sync(() => (tls === undefined ? dialPlain(server) : dialSecure(server, tls.connect))),
    close
  )
  return yield* established(dialled, ears, yield* monotonicNow)
})

/** Hears the pieces that a socket has, up to 32 in a turn (libuv, `uv__read`), until those of a turn have taken long. */
export const hearInTurns = (socket: Pick<Socket, "pause" | "resume">, heard: Ears["heard"], millis: () => number) => {
  /** since the last turn that was counted */
  let spent = 0
  let isCounted = false
  let isPaused = false
  const begin = (): void => {
    spent = 0
    isCounted = false
    if (isPaused) socket.resume()
    isPaused = false
  }
  return (bytes: Uint8Array): void => {
    const began = millis()
    heard(bytes)
    spent += millis() - began
    if (spent > shortTurn && !isCounted) {
      isCounted = true
      setImmediate(begin)
    }
    if (spent <= longTurn || isPaused) return
    isPaused = true
    socket.pause()
  }
}

const notConnected = (cause: NodeJS.ErrnoException) =>
  new NotConnected({ code: cause.code ?? "", detail: cause.message })

const established = ({ fingerprint, ready, socket }: Dialled, { ended, heard }: Ears, millis: () => number) =>
  Effect.callback<Connection, NotConnected>((resume) => {
    let why = "the other end closed the connection"
    let isConnected = false
    socket.on("error", (cause) => {
      why = cause.message
      resume(Effect.fail(notConnected(cause)))
    })
    socket.on("close", () => {
      if (isConnected) ended(why)
      else resume(Effect.fail(notConnected(new Error("the connection was closed"))))
    })
    socket.once(ready, () => {
      isConnected = true
      socket.on("data", hearInTurns(socket, heard, millis))
      resume(
        Effect.succeed({
          send: (bytes) => void (socket.writable && socket.write(bytes)),
          unsent: () => socket.writableLength,
          fingerprint: fingerprint()
        })
      )
    })
  })
