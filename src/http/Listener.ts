import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { CannotListen, PortInUse } from "../config/StartupErrors.ts"

/** A client that sends its headers or body byte by byte does not hold a connection for long. */
const impatient: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16_384
}

/** A node HTTP server that listens while the scope lives; its end cuts every connection. */
export const listen = (
  host: string,
  port: number,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void
) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Server; readonly sockets: Set<Socket> }, PortInUse | CannotListen>((resume) => {
      const server = createServer(impatient, onRequest)
      // node forgets connections that were upgraded: closeAllConnections would leave those open
      const sockets = new Set<Socket>()
      server.on("connection", (socket: Socket) => {
        sockets.add(socket)
        socket.once("close", () => sockets.delete(socket))
      })
      const failed = (cause: NodeJS.ErrnoException) =>
        resume(
          cause.code === "EADDRINUSE"
            ? Effect.fail(new PortInUse({ host, port }))
            : Effect.fail(new CannotListen({ host, port, detail: cause.code ?? cause.message }))
        )
      server.once("error", failed)
      server.listen({ host, port, backlog: 1024 }, () => {
        server.off("error", failed)
        resume(Effect.succeed({ server, sockets }))
      })
    }),
    ({ server, sockets }) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  ).pipe(Effect.map(({ server }) => server))
