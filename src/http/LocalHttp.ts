import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Settings } from "../config/Settings.ts"
import { listen } from "./Listener.ts"

export interface LocalRequest {
  readonly query: URLSearchParams
  /** the whole body as text, 64 KiB at most */
  readonly body: string
  readonly remoteAddress: string
}

export interface LocalReply {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export const json = (status: number, value: unknown): LocalReply => ({
  status,
  contentType: "application/json",
  body: `${JSON.stringify(value)}\n`
})

type Handler = (request: LocalRequest) => Effect.Effect<LocalReply>

/**
 * The HTTP server for this machine and its operator: health, metrics, and MediaMTX's question who may read. Nothing on it
 * asks for a token, so it listens on loopback unless it is told otherwise.
 */
export class LocalHttp extends Context.Service<
  LocalHttp,
  {
    readonly address: AddressInfo
    /** answers this method and exact path as long as the scope lives; HEAD is answered where GET is */
    readonly route: (method: "GET" | "POST", path: string, handler: Handler) => Effect.Effect<void, never, Scope.Scope>
  }
>()("camera-service/http/LocalHttp") {
  static readonly layer = Layer.effect(
    LocalHttp,
    Effect.gen(function* () {
      const { host, port } = (yield* Settings).boot.health
      const routes = new Map<string, Map<string, Handler>>()
      const run = yield* FiberSet.makeRuntime()

      const server = yield* listen(host, port, (request, response) => {
        const url = URL.parse(request.url ?? "/", "http://local")
        const methods = url === null ? undefined : routes.get(url.pathname)
        if (url === null || methods === undefined || methods.size === 0) {
          return send(request, response, json(404, { error: "Not Found" }))
        }
        const handler = methods.get(request.method === "HEAD" ? "GET" : (request.method ?? ""))
        if (handler === undefined) {
          const allowed = [...methods.keys()].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
          response.setHeader("allow", allowed.join(", "))
          return send(request, response, json(405, { error: "Method Not Allowed" }))
        }
        const answer = Effect.gen(function* () {
          // a request that breaks off has nobody left to answer
          const body = yield* Effect.tryPromise(() => bodyOf(request)).pipe(Effect.catch(() => Effect.interrupt))
          if (body === tooLarge) {
            response.setHeader("connection", "close")
            return json(413, { error: "Content Too Large" })
          }
          const remoteAddress = request.socket.remoteAddress ?? ""
          return yield* handler({ query: url.searchParams, body, remoteAddress })
        })
        run(
          answer.pipe(
            Effect.catchDefect((cause) =>
              Effect.as(Effect.logError("a local request failed", cause), json(500, { error: "Internal Server Error" }))
            ),
            Effect.map((reply) => send(request, response, reply))
          )
        )
      })

      const route = (method: "GET" | "POST", path: string, handler: Handler) => {
        const methods = routes.get(path) ?? new Map<string, Handler>()
        routes.set(path, methods)
        return Effect.acquireRelease(
          Effect.sync(() => methods.set(method, handler)),
          () => Effect.sync(() => methods.delete(method))
        )
      }

      return LocalHttp.of({ address: server.address() as AddressInfo, route })
    })
  )
}

const send = (request: IncomingMessage, response: ServerResponse, { status, contentType, body }: LocalReply): void => {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff"
  })
  response.end(request.method === "HEAD" ? undefined : body)
}

const bodyLimit = 64 * 1024
const tooLarge = Symbol("tooLarge")

const bodyOf = async (request: IncomingMessage): Promise<string | typeof tooLarge> => {
  const chunks: Array<Buffer> = []
  let length = 0
  // the default would close the connection with the loop, before the answer is out
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes: Buffer = chunk
    length += bytes.length
    if (length > bodyLimit) return tooLarge
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString()
}
