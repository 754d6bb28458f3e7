import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer as WsServer } from "ws"
import { maxFrameBytes } from "../../schema/JsonRpc.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { pathOf, PublicHttp } from "../http/PublicHttp.ts"
import type { Peer } from "./Connections.ts"
import { JsonRpcProtocol } from "./Protocol.ts"

/** A client that sends nothing, not even a pong, for two of these is gone. */
const heartbeat = "30 seconds"
/** What is left of a connection is destroyed this long after it was asked to close. */
const closeGrace = "1 second"

/** Frames up to so many bytes are kept until the next one, for who gets the same. */
const maxKept = 64 << 10

/** JSON-RPC over WebSocket (RFC 6455) at `/ws`. */
export class WebSocketServer extends Context.Service<WebSocketServer, { readonly size: () => number }>()(
  "camera-service/rpc/WebSocketServer"
) {
  static readonly layer = Layer.effect(
    WebSocketServer,
    Effect.gen(function* () {
      const settings = yield* Settings
      const { server } = yield* PublicHttp
      const protocol = yield* JsonRpcProtocol
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const scope = yield* Effect.scope
      const clients = new Set<Client>()
      const ws = new WsServer({
        noServer: true,
        clientTracking: false,
        // compression costs 300 kB of memory a connection, and replies are small
        perMessageDeflate: false,
        maxPayload: maxFrameBytes
      })

      /** asks for the close handshake, and does not wait long for it */
      const cut = (socket: WebSocket, code: number, reason: string) => {
        socket.close(code, reason)
        const terminate = Effect.delay(
          Effect.sync(() => socket.terminate()),
          closeGrace
        )
        run(Effect.forkIn(terminate, scope))
      }

      const frameOf = frameMaker()

      const accept = (socket: WebSocket, stream: Duplex, address: string) => {
        const client: Client = { socket, silentFor: 0, paused: false }
        const peer: Peer = {
          address,
          send(text) {
            if (socket.readyState === socket.OPEN) stream.write(frameOf(text))
          },
          buffered: () => socket.bufferedAmount,
          pause() {
            client.paused = true
            socket.pause()
          },
          resume() {
            client.paused = false
            client.silentFor = 0
            socket.resume()
          },
          cut: (code, reason) => cut(socket, code, reason)
        }
        const receiver = protocol.connect(peer)
        clients.add(client)
        const heard = () => {
          client.silentFor = 0
        }
        socket.on("message", (data: Buffer, isBinary) => {
          heard()
          if (isBinary) cut(socket, 1003, "text frames only")
          else receiver.receive(data.toString())
        })
        socket.on("pong", heard)
        socket.on("ping", heard)
        stream.on("drain", () => {
          heard()
          receiver.drained()
        })
        socket.on("close", () => {
          clients.delete(client)
          receiver.close()
        })
        // a broken frame (1002, 1007, 1009): ws answers with the code and closes
        socket.on("error", () => cut(socket, 1002, "protocol error"))
      }

      const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
        destroyOnError(stream)
        if (pathOf(request.url) !== "/ws") return refuse(stream, 404, "Not Found")
        const { allowed_origins, max_connections } = liveNow(settings).server
        if (!originAllowed(request, allowed_origins)) return refuse(stream, 403, "Forbidden")
        if (clients.size >= max_connections) return refuse(stream, 503, "Service Unavailable")
        const address = request.socket.remoteAddress ?? "unknown"
        ws.handleUpgrade(request, stream, head, (socket) => accept(socket, stream, address))
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => server.on("upgrade", onUpgrade)),
        () => Effect.suspend(() => (server.off("upgrade", onUpgrade), goodbye(clients)))
      )

      // one timer for all: 10,000 timers cost more than 10,000 small steps
      yield* Effect.sync(() => clients.forEach(beat)).pipe(
        Effect.schedule(Schedule.spaced(heartbeat)),
        Effect.forkScoped
      )

      return WebSocketServer.of({ size: () => clients.size })
    })
  )
}

/** A function of its own: a listener made where the request is in reach would keep it as long as the connection. */
const destroyOnError = (stream: Duplex): void => void stream.on("error", () => stream.destroy())

interface Client {
  readonly socket: WebSocket
  /** heartbeats since it was last heard of */
  silentFor: number
  /** we do not read from it, so it cannot be heard */
  paused: boolean
}

const beat = (client: Client): void => {
  // while we do not read, silence means nothing, unless it does not read either
  if (client.paused && client.socket.bufferedAmount === 0) client.silentFor = 0
  else client.silentFor++
  if (client.silentFor > 2) client.socket.terminate()
  else client.socket.ping()
}

/** Every client is told that the server goes (1001); who does not answer in time is cut. */
const goodbye = (clients: ReadonlySet<Client>): Effect.Effect<void> =>
  Effect.forEach(
    clients,
    ({ socket }) =>
      Effect.callback<void>((resume) => {
        socket.once("close", () => resume(Effect.void))
        socket.resume()
        socket.close(1001, "the server is stopping")
      }),
    { concurrency: "unbounded", discard: true }
  ).pipe(
    Effect.timeoutOption(closeGrace),
    Effect.andThen(Effect.sync(() => clients.forEach(({ socket }) => socket.terminate())))
  )

/**
 * Makes whole text frames (RFC 6455, section 5.2). ws itself writes head and payload apart: that costs a third more of
 * CPU for a small reply, and twice the memory for one that is not read. A notification to many is made once.
 */
const frameMaker = () => {
  let lastText = ""
  let lastFrame = Buffer.of(0x81, 0)
  return (text: string): Buffer => {
    if (text === lastText) return lastFrame
    const length = Buffer.byteLength(text)
    const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
    const frame = Buffer.allocUnsafe(head + length)
    frame[0] = 0x81 // the last fragment (FIN) of a text
    if (head === 2) frame[1] = length
    else if (head === 4) {
      frame[1] = 126
      frame.writeUInt16BE(length, 2)
    } else {
      frame[1] = 127
      frame.writeBigUInt64BE(BigInt(length), 2)
    }
    frame.write(text, head)
    if (length <= maxKept) {
      lastText = text
      lastFrame = frame
    }
    return frame
  }
}

const refuse = (stream: Duplex, status: number, reason: string): void => {
  stream.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${reason.length}\r\nConnection: close\r\n\r\n${reason}`
  )
}

/**
 * Browsers send the origin of the page with every WebSocket: only our own pages, and those the operator names, may
 * connect (cross-site WebSocket hijacking). Programs send none.
 */
const originAllowed = ({ headers }: IncomingMessage, allowed: ReadonlyArray<string>): boolean => {
  const { host, origin } = headers
  if (origin === undefined || allowed.includes(origin)) return true
  return host !== undefined && URL.parse(origin)?.host === host.toLowerCase()
}
