import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { connect as connectPlain, type Socket } from "node:net"

/** The other end could not be connected to. `code` is the errno's name (`ECONNREFUSED`), or what TLS says of it. */
export class NotConnected extends Schema.TaggedError<NotConnected>()("NotConnected", {
  code: Schema.String,
  detail: Schema.String
}) {}

/** A server in the network. */
export interface Peer {
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

/** TCP connections to servers in the network. */
export class Tcp extends Context.Service<
  Tcp,
  {
    /** as long as the scope lives; what is heard before the ears are there is not lost */
    readonly connect: (peer: Peer, ears: Ears) => Effect.Effect<Connection, NotConnected, Scope.Scope>
  }
>()("camera-service/ground/Tcp") {
  /** Node's. */
  static readonly layer = Layer.succeed(
    Tcp,
    Tcp.of({ connect: (peer, ears) => Effect.acquireRelease(open(peer, ears), close) })
  )
}

interface Opened extends Connection {
  readonly socket: Socket
}

/** What was said last is to be heard, by who listens. */
const close = ({ socket }: Opened) =>
  Effect.sync(() => {
    socket.setTimeout(lastWords, () => socket.destroy())
    socket.destroySoon()
  })

const notConnected = (cause: NodeJS.ErrnoException) =>
  new NotConnected({ code: cause.code ?? "", detail: cause.message })

/** A socket that is being connected, the event that says that it is, and what its certificate is then. */
const dial = async ({ address, isSecure, port }: Peer) => {
  if (!isSecure) {
    const socket = connectPlain({ host: address, port, noDelay: true })
    return { socket, ready: "connect", fingerprint: () => undefined }
  }
  // 2 MB, which few need
  const { connect } = await import("node:tls")
  // cameras sign their certificates themselves: who asks looks at the fingerprint
  const socket = connect({ host: address, port, rejectUnauthorized: false })
  socket.setNoDelay(true)
  const fingerprint = () => socket.getPeerCertificate().fingerprint256.replaceAll(":", "").toLowerCase()
  return { socket, ready: "secureConnect", fingerprint }
}

const open = (peer: Peer, { ended, heard }: Ears): Effect.Effect<Opened, NotConnected> =>
  Effect.flatMap(
    Effect.promise(() => dial(peer)),
    ({ fingerprint, ready, socket }) =>
      Effect.callback((resume) => {
        const failed = (cause: Error) => resume(Effect.fail(notConnected(cause)))
        socket.once("error", failed)
        socket.once("close", () => failed(new Error("the connection was closed")))
        socket.once(ready, () => {
          socket.removeAllListeners("close")
          socket.off("error", failed)
          let why = "the other end closed the connection"
          socket.on("error", (cause) => {
            why = cause.message
          })
          socket.on("close", () => ended(why))
          socket.on("data", heard)
          const connection: Opened = {
            socket,
            send: (bytes) => void (socket.writable && socket.write(bytes)),
            unsent: () => socket.writableLength,
            fingerprint: fingerprint()
          }
          resume(Effect.succeed(connection))
        })
        return Effect.sync(() => socket.destroy())
      })
  )
