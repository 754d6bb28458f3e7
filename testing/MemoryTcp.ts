import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { type Connection, type Ears, NotConnected, type RemoteServer, Tcp } from "../src/ground/Tcp.ts"

/** Who has connected, as the server sees it. */
export interface Caller {
  /** what it says next; it fails when it has gone. What is not heard yet is unsent at its end */
  readonly hear: Effect.Effect<Uint8Array, Cause.Done>
  readonly say: (bytes: Uint8Array) => void
  readonly hangUp: (why: string) => void
}

/** Servers of a network without sockets, by their addresses. */
export class Peers extends Context.Service<
  Peers,
  {
    /** serves each that connects, as long as the scope lives; the end of `serve` ends a connection too */
    readonly listen: (
      address: string,
      port: number,
      serve: (caller: Caller) => Effect.Effect<void, never, Scope.Scope>
    ) => Effect.Effect<void, never, Scope.Scope>
    /** a machine that answers nobody at this address, as long as the scope lives */
    readonly silence: (address: string) => Effect.Effect<void, never, Scope.Scope>
    /** SHA-256 of the certificates that those show who speak TLS, in hex, by `192.168.1.64:322`; a test may change it. Others speak none */
    readonly certificates: Map<string, string>
    /** where the service has gone, or tried to: `192.168.1.64:554`, each once */
    readonly dialled: () => ReadonlyArray<string>
    /** the most connections that it had or tried to have at once */
    readonly mostAtOnce: () => number
  }
>()("camera-service/testing/Peers") {
  static readonly layer: Layer.Layer<Peers | Tcp> = Layer.effectContext(
    Effect.sync(() => {
      const servers = new Map<string, Server>()
      const silent = new Set<string>()
      const dialled = new Set<string>()
      const certificates = new Map<string, string>()
      let atOnce = 0
      let mostAtOnce = 0
      /** as long as the scope lives */
      const counted = Effect.acquireRelease(
        Effect.sync(() => (mostAtOnce = Math.max(mostAtOnce, ++atOnce))),
        () => Effect.sync(() => atOnce--)
      )

      const peers = Peers.of({
        listen: (address, port, serve) =>
          Effect.flatMap(Effect.scope, (scope) =>
            Effect.asVoid(
              Effect.acquireRelease(
                Effect.sync(() => servers.set(`${address}:${port}`, { serve, scope })),
                () => Effect.sync(() => servers.delete(`${address}:${port}`))
              )
            )
          ),
        silence: (address) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() => silent.add(address)),
              () => Effect.sync(() => silent.delete(address))
            )
          ),
        certificates,
        dialled: () => [...dialled],
        mostAtOnce: () => mostAtOnce
      })

      const tcp = Tcp.of({
        connect: ({ address, isSecure, port }: RemoteServer, ears: Ears) =>
          Effect.flatMap(counted, () => {
            dialled.add(`${address}:${port}`)
            if (silent.has(address)) return Effect.never
            const server = servers.get(`${address}:${port}`)
            if (server === undefined) return Effect.fail(refused(address, port))
            const certificate = certificates.get(`${address}:${port}`)
            if (!isSecure) return open(certificate === undefined ? server : { ...server, serve: deaf }, ears, undefined)
            return certificate === undefined ? Effect.fail(noTls) : open(server, ears, certificate)
          })
      })
      return Context.make(Peers, peers).pipe(Context.add(Tcp, tcp))
    })
  )
}

interface Server {
  readonly serve: (caller: Caller) => Effect.Effect<void, never, Scope.Scope>
  readonly scope: Scope.Scope
}

const refused = (address: string, port: number) =>
  new NotConnected({ code: "ECONNREFUSED", detail: `connect ECONNREFUSED ${address}:${port}` })

/** As Node has it where the other end goes in the midst of the handshake. */
const noTls = new NotConnected({
  code: "ECONNRESET",
  detail: "Client network socket disconnected before secure TLS connection was established"
})

/** One who speaks TLS goes when something else is said. */
const deaf: Server["serve"] = ({ hear }) => Effect.ignore(hear)

const open = Effect.fnUntraced(function* (
  { scope, serve }: Server,
  { ended, heard }: Ears,
  fingerprint: string | undefined
) {
  const toServer = yield* Queue.unbounded<Uint8Array, Cause.Done>()
  let isOpen = true
  let unsent = 0
  const hangUp = (why: string): void => {
    if (!isOpen) return
    isOpen = false
    Queue.endUnsafe(toServer)
    ended(why)
  }
  const caller: Caller = {
    hear: Effect.tap(Queue.take(toServer), (bytes) => Effect.sync(() => (unsent -= bytes.length))),
    say: (bytes) => {
      if (isOpen) heard(bytes)
    },
    hangUp
  }
  const serving = Effect.ensuring(
    Effect.scoped(serve(caller)),
    Effect.sync(() => hangUp("read ECONNRESET"))
  )
  yield* Effect.forkIn(serving, scope)
  const connection: Connection = {
    send: (bytes) => {
      if (isOpen && Queue.offerUnsafe(toServer, bytes)) unsent += bytes.length
    },
    unsent: () => unsent,
    fingerprint
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      isOpen = false
      Queue.endUnsafe(toServer)
    })
  )
  return connection
})
