import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Settings } from "../config/Settings.ts"
import type { Address, HttpReply, HttpRequest } from "../ground/Visits.ts"
import { listen } from "./Listen.ts"
import { refusal } from "./Refusal.ts"

export interface LocalRequest {
  /** the whole body as text, 64 KiB at most */
  readonly body: string
  /** what the client would have as the reply's type (`Accept`); empty: anything */
  readonly accept: string
  /** the header of this name; empty where there is none */
  readonly authorization: string
  /** the IP address of who asks */
  readonly address: string
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
    /** where it listens */
    readonly address: Address
    /** answers this method and exact path as long as the scope lives; HEAD is answered where GET is */
    readonly route: (method: "GET" | "POST", path: string, handler: Handler) => Effect.Effect<void, never, Scope.Scope>
  }
>()("camera-service/http/LocalHttp") {
  static readonly layer = Layer.effect(
    LocalHttp,
    Effect.gen(function* () {
      const { host, port } = (yield* Settings).boot.health
      const routes = new Map<string, Map<string, Handler>>()

      const answer = Effect.fnUntraced(function* ({ address, body, headers, method, target }: HttpRequest) {
        // MediaMTX asks often, and without a query
        const methods = routes.get(target) ?? routes.get(URL.parse(target, "http://local")?.pathname ?? "")
        if (methods === undefined || methods.size === 0) {
          return notFound
        }
        const handler = methods.get(method === "HEAD" ? "GET" : method)
        if (handler === undefined) {
          const allow = [...methods.keys()].flatMap((known) => (known === "GET" ? ["GET", "HEAD"] : [known]))
          return refusal(405, "Method Not Allowed", `use ${allow.join(" or ")}`, { allow: allow.join(", ") })
        }
        // whatever a page says, in a browser on this machine, is not said by who works it
        if (method === "POST" && headers["origin"] !== undefined) return fromPage
        const { accept = "", authorization = "" } = headers
        const asked = { accept: String(accept), authorization: String(authorization), address }
        return yield* body.pipe(
          Effect.flatMap((text) => handler({ ...asked, body: text })),
          Effect.map((made) => reply(made)),
          // what is left of the body is not read
          Effect.catch(() => Effect.succeed(tooLarge)),
          Effect.catchDefect((cause) =>
            Effect.as(
              Effect.logError("a local request failed", cause),
              refusal(500, "Internal Server Error", "look into the service's log, where it says what went wrong")
            )
          )
        )
      })

      const address = yield* listen({ host, port }, { answer, admit: () => notFound })

      const route = (method: "GET" | "POST", path: string, handler: Handler) => {
        const methods = routes.get(path) ?? new Map<string, Handler>()
        routes.set(path, methods)
        return Effect.acquireRelease(
          Effect.sync(() => methods.set(method, handler)),
          () => Effect.sync(() => methods.delete(method))
        )
      }

      return LocalHttp.of({ address, route })
    })
  )
}

const notFound = refusal(404, "Not Found", "ask for /health, /health/ready, /health/live, /health/detailed or /metrics")
const fromPage = refusal(403, "Forbidden", "web pages have nothing to tell here", { connection: "close" })
const tooLarge = refusal(413, "Content Too Large", "send 64 KiB at most", { connection: "close" })

const reply = ({ body, contentType, status }: LocalReply, headers: HttpReply["headers"] = {}): HttpReply => ({
  status,
  headers: {
    ...headers,
    "content-type": contentType,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff"
  },
  body
})
