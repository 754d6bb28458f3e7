import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import {
  type JsonReply,
  type JsonRequest,
  Loopback,
  NoReply,
  type WebAnswer,
  type WebCall
} from "../src/ground/Loopback.ts"

/** Another one listens there. */
export class PortTaken extends Data.TaggedError("PortTaken")<{ readonly port: number }> {}

/** A server on a port of 127.0.0.1. */
export interface Listener {
  /** the process that listens; 0: the service itself */
  readonly pid: number
  readonly http?: (request: JsonRequest) => Effect.Effect<JsonReply, NoReply>
  readonly web?: (call: WebCall) => Effect.Effect<WebAnswer, NoReply, Scope.Scope>
  /** what it says to this */
  readonly tcp?: (words: string) => Effect.Effect<string, NoReply>
}

/** 127.0.0.1 in memory: who listens, who is connected to whom, and what that says of the processes. */
export class Ports extends Context.Service<
  Ports,
  {
    /** as long as the scope lives */
    readonly listen: (port: number, listener: Listener) => Effect.Effect<void, PortTaken, Scope.Scope>
    /** a connection of this process, as long as the scope lives: its own port; fails where nobody listens */
    readonly connect: (pid: number, to: number) => Effect.Effect<number, NoReply, Scope.Scope>
    readonly request: (port: number, request: JsonRequest) => Effect.Effect<JsonReply, NoReply>
  }
>()("camera-service/testing/Ports") {
  static readonly layer: Layer.Layer<Ports | Loopback> = Layer.effectContext(
    Effect.sync(() => {
      const listeners = new Map<number, Listener>()
      const connections = new Map<number, { readonly pid: number; readonly to: number }>()
      let nextPort = 40_000

      const at = (port: number) => {
        const listener = listeners.get(port)
        return listener === undefined ? Effect.fail(refused(port)) : Effect.succeed(listener)
      }
      const request = (port: number, asked: JsonRequest) =>
        Effect.flatMap(at(port), ({ http }) => http?.(asked) ?? Effect.fail(refused(port)))

      const ports = Ports.of({
        listen: (port, listener) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.suspend(() =>
                listeners.has(port)
                  ? Effect.fail(new PortTaken({ port }))
                  : Effect.sync(() => listeners.set(port, listener))
              ),
              () => Effect.sync(() => listeners.delete(port))
            )
          ),
        connect: (pid, to) =>
          Effect.acquireRelease(
            Effect.map(at(to), () => {
              const port = nextPort++
              connections.set(port, { pid, to })
              return port
            }),
            (port) => Effect.sync(() => connections.delete(port))
          ),
        request
      })

      const loopback = Loopback.of({
        json: ({ port }) => Effect.succeed((asked) => request(port, asked)),
        web: ({ port }) =>
          Effect.succeed((call) => Effect.flatMap(at(port), ({ web }) => web?.(call) ?? Effect.fail(refused(port)))),
        ask: ({ port }, words, whole) =>
          Effect.flatMap(at(port), ({ tcp }) => tcp?.(words) ?? Effect.fail(refused(port))).pipe(
            Effect.flatMap((heard) => {
              const found = whole(heard)
              return found === undefined
                ? Effect.fail(new NoReply({ detail: "the server closed the connection" }))
                : Effect.succeed(found)
            })
          ),
        has: (pid, { port, to }) =>
          Effect.sync(() => {
            const owner = to === undefined ? listeners.get(port) : connections.get(port)
            return owner === undefined ? undefined : owner.pid === pid
          })
      })
      return Context.make(Ports, ports).pipe(Context.add(Loopback, loopback))
    })
  )
}

const refused = (port: number) => new NoReply({ detail: `connect ECONNREFUSED 127.0.0.1:${port}` })
