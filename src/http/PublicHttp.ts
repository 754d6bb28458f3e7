import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Settings } from "../config/Settings.ts"
import { listen } from "./Listener.ts"

export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** The HTTP server that clients reach: JSON-RPC over WebSocket, downloads and the web console share its port. */
export class PublicHttp extends Context.Service<
  PublicHttp,
  {
    /** for `upgrade` listeners; plain requests come through `handle` */
    readonly server: Server
    /** where it listens; with port 0 in the settings this tells the port that the system chose */
    readonly address: AddressInfo
    /**
     * Gives all requests whose path starts with `prefix` to `listener`, as long as the scope lives; the longest prefix
     * wins, and what no prefix matches is answered 404.
     */
    readonly handle: (prefix: string, listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  }
>()("camera-service/http/PublicHttp") {
  static readonly layer = Layer.effect(
    PublicHttp,
    Effect.gen(function* () {
      const { host, port } = (yield* Settings).boot.server
      const listeners = new Map<string, Listener>()
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const server = yield* listen(host, port, (request, response) => {
        const path = pathOf(request.url)
        let best: string | undefined
        for (const prefix of listeners.keys()) {
          if (path.startsWith(prefix) && (best === undefined || prefix.length > best.length)) best = prefix
        }
        const listener = best === undefined ? undefined : listeners.get(best)
        if (listener === undefined) notFound(response)
        else listener(request, response)
      })

      // a failed accept (out of file descriptors) costs that connection, not the service
      server.on("error", (cause) => run(Effect.logWarning("a connection could not be accepted", cause)))

      const handle = (prefix: string, listener: Listener) =>
        Effect.acquireRelease(
          Effect.sync(() => listeners.set(prefix, listener)),
          () => Effect.sync(() => listeners.delete(prefix))
        )

      return PublicHttp.of({ server, address: server.address() as AddressInfo, handle })
    })
  )
}

/** The path of a request's target, without its query. */
export const pathOf = (url: string | undefined): string => {
  const target = url ?? "/"
  const query = target.indexOf("?")
  return query === -1 ? target : target.slice(0, query)
}

const notFound = (response: ServerResponse): void => {
  response.writeHead(404, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" })
  response.end("Not Found\n")
}
