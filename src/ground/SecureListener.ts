import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { RequestListener, Server } from "node:http"
import type { Socket } from "node:net"
import { serverOptions, maxIdle, serve } from "./Listener.ts"
import type { ServerCertificate } from "./ServerCertificate.ts"
import type { Address, Host } from "./Visits.ts"

/** RFC 8996: older ones must not be used */
const minVersion = "TLSv1.2"
const handshakeTimeout = 10_000

/** What is left of connections whose handshake is not over: as with those that ask nothing, the oldest goes for a new one. */
const boundHandshakes = (server: Server): void => {
  const shaking = new Map<string, Socket>()
  // Node does not say which connection it has put under which TLS
  const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`
  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket)
    shaking.set(name, socket)
    socket.once("close", () => {
      if (shaking.get(name) === socket) shaking.delete(name)
    })
    const [oldest] = shaking.values()
    if (shaking.size > maxIdle) oldest?.destroy()
  })
  server.on("secureConnection", (socket: Socket) => shaking.delete(nameOf(socket)))
}

/** `Network.listenSecure`. Node's TLS, which takes 5 MB, is loaded for it. */
export const listenSecure = Effect.fnUntraced(function* (address: Address, host: Host, first: ServerCertificate) {
  const { createServer } = yield* Effect.promise(() => import("node:https"))
  const shown = ({ chain, key }: ServerCertificate) => ({ cert: chain, key: Redacted.value(key), minVersion }) as const
  const makeServer = (answer: RequestListener) => {
    const server = createServer({ ...serverOptions, ...shown(first), handshakeTimeout }, answer)
    boundHandshakes(server)
    return server
  }
  const { address: taken, server } = yield* serve(address, host, { isSecure: true, makeServer })
  return {
    address: taken,
    /** connections that are open stay as they are */
    show: (next: ServerCertificate) => Effect.sync(() => server.setSecureContext(shown(next)))
  }
})
