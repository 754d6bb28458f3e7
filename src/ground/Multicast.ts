import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { networkInterfaces } from "node:os"

/** Nothing can be sent from there. `code` is the errno's name: `ENETUNREACH`. */
export class NotSent extends Schema.TaggedError<NotSent>()("NotSent", { code: Schema.String }) {}

/** A way into a network, with this machine's IPv4 address there. */
export interface Interface {
  readonly name: string
  readonly address: string
  /** with which so many first bits of it the addresses begin that are reached without a router */
  readonly bits: number
}

export interface Datagram {
  /** the address that it says it comes from */
  readonly from: string
  readonly bytes: Uint8Array
}

/** A multicast group's IPv4 address, and a port. */
export interface Group {
  readonly address: string
  readonly port: number
}

/** Asks all machines of a network at once, and hears what each of them says. */
export class Multicast extends Context.Service<
  Multicast,
  {
    /** those that lead to other machines */
    readonly interfaces: () => ReadonlyArray<Interface>
    /** a socket on this interface, as long as the scope lives: what sends to a group; `heard` hears what is sent back to it */
    readonly open: (
      from: Interface,
      heard: (datagram: Datagram) => void
    ) => Effect.Effect<(group: Group, words: string) => Effect.Effect<void, NotSent>, NotSent, Scope.Scope>
  }
>()("camera-service/ground/Multicast") {
  /** Node's; its module for datagrams is loaded by who asks. */
  static readonly layer = Layer.succeed(
    Multicast,
    Multicast.of({
      interfaces: () =>
        Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
          addresses
            .filter(({ family, internal }) => family === "IPv4" && !internal)
            .map(({ address, cidr }) => ({ name, address, bits: Number(cidr?.split("/")[1] ?? 32) }))
        ),
      open: Effect.fnUntraced(function* ({ address }, heard) {
        const { createSocket } = yield* Effect.promise(() => import("node:dgram"))
        const socket = yield* Effect.acquireRelease(
          Effect.sync(() => createSocket({ type: "udp4" })),
          (socket) => Effect.sync(() => socket.close())
        )
        yield* Effect.callback<void, NotSent>((resume) => {
          const failed = (cause: NodeJS.ErrnoException) => resume(Effect.fail(notSent(cause)))
          socket.once("error", failed)
          socket.bind({ address, port: 0 }, () => {
            socket.off("error", failed)
            // a network that goes away: whoever sends next hears of it
            socket.on("error", () => undefined)
            resume(Effect.void)
          })
        })
        yield* Effect.try({
          try: () => socket.setMulticastInterface(address),
          catch: (cause) => notSent(cause as NodeJS.ErrnoException)
        })
        socket.on("message", (bytes, { address: from }) => heard({ from, bytes }))
        return (group, words) =>
          Effect.callback((resume) =>
            socket.send(words, group.port, group.address, (cause) =>
              resume(cause === null ? Effect.void : Effect.fail(notSent(cause)))
            )
          )
      })
    })
  )
}

const notSent = (cause: NodeJS.ErrnoException) => new NotSent({ code: cause.code ?? cause.message })
