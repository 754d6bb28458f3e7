import * as Effect from "effect/Effect"
import { createServer, type Server } from "node:net"

const listening = (server: Server) =>
  new Promise<number>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

const closed = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()))

/** Ports of 127.0.0.1 that nobody listens on, all different. */
export const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>> =>
  Effect.promise(async () => {
    const servers = Array.from({ length: count }, () => createServer())
    const ports = await Promise.all(servers.map(listening))
    await Promise.all(servers.map(closed))
    return ports
  })
