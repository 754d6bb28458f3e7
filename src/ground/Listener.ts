import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from "node:http"
import type { Socket } from "node:net"
import { reply } from "./Replies.ts"
import { wantsWebSocket } from "./RequestHeads.ts"
import { type Address, AddressTaken, AddressUnusable, type Host } from "./Visits.ts"
import { makeUpgrade } from "./WebSockets.ts"

/** A client that sends its headers or body byte by byte, or nothing at all, does not hold a connection for long. */
export const serverOptions: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16_384,
  shouldUpgradeCallback: wantsWebSocket
}

/** So many connections may be open that ask nothing; with one more the oldest of them is cut, so that who asks is heard. */
export const maxIdle = 1000

/**
 * So many requests of one connection may be under way. Clients wait for each reply; of one that does not Node reads a
 * thousand in one piece, and all of them would be worked on before the first is answered.
 */
const maxUnderWay = 16

/** RFC 9112, 6.3 */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

/** What serves: Node's HTTP server, or its HTTPS server, whose connections are those whose handshake is over. */
interface Serving<S extends Server> {
  readonly isSecure: boolean
  readonly makeServer: (answer: RequestListener) => S
}

/** `Network.listen` */
export const listen = (address: Address, host: Host) =>
  Effect.map(
    serve(address, host, { isSecure: false, makeServer: (answer) => createServer(serverOptions, answer) }),
    (served) => served.address
  )

/** A node HTTP server that listens while the scope lives. */
export const serve = Effect.fnUntraced(function* <S extends Server>(
  { host, port }: Address,
  { admit, answer }: Host,
  { isSecure, makeServer }: Serving<S>
) {
  const run = yield* FiberSet.makeRuntime()
  const upgrade = yield* makeUpgrade(admit, isSecure)
  // node forgets connections that were upgraded: closeAllConnections would leave those open
  const all = new Set<Socket>()
  const idle = new Set<Socket>()
  const underWay = new WeakMap<Socket, number>()
  const rest = (socket: Socket): void => {
    if (socket.destroyed) return
    idle.add(socket)
    const [oldest] = idle
    if (idle.size > maxIdle) oldest?.destroy()
  }

  const take: RequestListener = (request, response) => {
    const { socket } = request
    // came in one piece with what it was cut for
    if (socket.destroyed) return
    const before = underWay.get(socket) ?? 0
    if (before === maxUnderWay) return void socket.destroy()
    underWay.set(socket, before + 1)
    // one that sends its request for as long as it likes is no better than one that sends none
    if (hasBody(request)) request.once("end", () => idle.delete(socket))
    else idle.delete(socket)
    const fiber = run(
      Effect.catchDefect(Effect.scoped(reply(answer, request, response, isSecure)), (cause) =>
        // nobody knows how much of an answer is out
        Effect.andThen(
          Effect.sync(() => response.destroy()),
          Effect.logError("a request failed", cause)
        )
      )
    )
    response.once("close", () => {
      // a client that hangs up ends it here, and with it what is open for it
      fiber.interruptUnsafe()
      underWay.set(socket, (underWay.get(socket) ?? 1) - 1)
      rest(socket)
    })
  }
  const server = makeServer(take)
  server.on("checkContinue", take)
  server.on(isSecure ? "secureConnection" : "connection", (socket: Socket) => {
    all.add(socket)
    rest(socket)
    socket.once("close", () => {
      all.delete(socket)
      idle.delete(socket)
    })
  })
  server.on("upgrade", (request: IncomingMessage, socket: Socket, first: Buffer) => {
    idle.delete(socket)
    upgrade(request, socket, first)
  })

  const open = Effect.callback<Address, AddressTaken | AddressUnusable>((resume) => {
    const failed = (cause: NodeJS.ErrnoException) =>
      resume(
        cause.code === "EADDRINUSE"
          ? Effect.fail(new AddressTaken())
          : Effect.fail(new AddressUnusable({ code: cause.code ?? cause.message }))
      )
    server.once("error", failed)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", failed)
      resume(Effect.succeed({ host, port: portOf(server) }))
    })
  })
  const close = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    for (const socket of all) socket.destroy()
  })
  const address = yield* Effect.acquireRelease(open, () => close)

  // a failed accept (out of file descriptors) costs that connection, not the service
  server.on("error", (cause) => run(Effect.logWarning("a connection could not be accepted", cause)))
  return { address, server }
})

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}
