import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Certificate } from "../config/Certificate.ts"
import type { Live } from "../config/LiveSettings.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { plainServer } from "../config/Tls.ts"
import type { Address, Host, HttpReply, RequestHead } from "../ground/Visits.ts"
import { certificateExpiry, observe } from "../telemetry/Metrics.ts"
import { asSent } from "./Forwarded.ts"
import { listen, listenSecure } from "./Listen.ts"
import { preflight, withOrigin } from "./Origins.ts"
import { refusal } from "./Refusal.ts"

/**
 * The HTTP server that clients reach: JSON-RPC over WebSocket, downloads and the web console share its port. With a
 * certificate it is served by TLS on another one as well.
 */
export class PublicHttp extends Context.Service<
  PublicHttp,
  {
    /** where it listens without TLS; with port 0 in the settings this tells the port that the system chose */
    readonly address: Address
    /**
     * Has all requests whose path starts with `prefix` answered so, as long as the scope lives; the longest prefix wins,
     * what no prefix matches is answered 404, and the path of a WebSocket 426. Before the first of them is there, and
     * when this one is no more, 503: the service starts, or is about to end.
     */
    readonly handle: (prefix: string, answer: Host["answer"]) => Effect.Effect<void, never, Scope.Scope>
    /** lets WebSockets in at this very path, as long as the scope lives */
    readonly admit: (path: string, admit: Host["admit"]) => Effect.Effect<void, never, Scope.Scope>
  }
>()("camera-service/http/PublicHttp") {
  static readonly layer = Layer.effect(
    PublicHttp,
    Effect.gen(function* () {
      const settings = yield* Settings
      const answers = new Map<string, Host["answer"]>()
      const admissions = new Map<string, Host["admit"]>()
      const unknown = () => (answers.size + admissions.size === 0 ? starting : notFound)

      const host: Host = {
        answer(sent) {
          const { allowed_origins, trusted_proxies } = liveNow(settings).server
          const request = asSent(sent, trusted_proxies)
          const asked = preflight(request, allowed_origins)
          if (asked !== undefined) return Effect.succeed(asked)
          const path = pathOf(request.target)
          if (admissions.has(path)) return Effect.succeed(upgradeRequired)
          let best: string | undefined
          for (const prefix of answers.keys()) {
            if (path.startsWith(prefix) && (best === undefined || prefix.length > best.length)) best = prefix
          }
          const answer = best === undefined ? undefined : answers.get(best)
          const reply =
            answer === undefined
              ? Effect.succeed(unknown())
              : Effect.catchDefect(answer(request), (cause) =>
                  Effect.as(Effect.logError("a request failed", cause), internalError)
                )
          return request.headers["origin"] === undefined
            ? reply
            : Effect.map(reply, (made) => withOrigin(made, request, allowed_origins))
        },
        admit: (request) =>
          admissions.get(pathOf(request.target))?.(asSent(request, liveNow(settings).server.trusted_proxies)) ??
          unknown()
      }
      const { boot } = settings
      const address = yield* listen(plainServer(boot), host)
      const { shown } = yield* Certificate
      if (shown !== undefined) {
        const at = { host: boot.server.host, port: boot.tls.port }
        const behind = {
          ...host,
          answer: (request) => Effect.map(host.answer(request), (made) => withHsts(made, liveNow(settings).tls))
        } satisfies Host
        const { show } = yield* listenSecure(at, behind, yield* SubscriptionRef.get(shown))
        yield* Effect.forkScoped(Stream.runForEach(SubscriptionRef.changes(shown), show))
        yield* observe(certificateExpiry, () => SubscriptionRef.getUnsafe(shown).validTo / 1000)
      }

      return PublicHttp.of({
        address,
        handle: (prefix, answer) => put(answers, prefix, answer, () => Effect.succeed(ending)),
        admit: (path, admit) => put(admissions, path, admit, () => ending)
      })
    })
  )
}

const put = <A>(map: Map<string, A>, key: string, value: A, after: A): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void map.set(key, value)),
    () => Effect.sync(() => map.set(key, after))
  )

/** The path of a request's target, without its query. */
export const pathOf = (target: string): string => {
  const query = target.indexOf("?")
  return query === -1 ? target : target.slice(0, query)
}

export const queryOf = ({ target }: RequestHead): URLSearchParams =>
  new URLSearchParams(target.slice(pathOf(target).length))

/** RFC 6797; over TLS alone (7.2) */
const withHsts = (reply: HttpReply, { hsts_seconds }: Live["tls"]): HttpReply =>
  hsts_seconds === 0
    ? reply
    : { ...reply, headers: { ...reply.headers, "strict-transport-security": `max-age=${hsts_seconds}` } }

const notFound = refusal(
  404,
  "Not Found",
  "look at the URL: calls are at /ws, files at /files/recordings/ and /files/snapshots/"
)

const soon = { "retry-after": 1 }
const starting = refusal(503, "The service is starting", "try again in a second", soon)
const ending = refusal(503, "The service is about to end", "try again in some seconds", {
  ...soon,
  connection: "close"
})

/** The inside is the log's matter. */
const internalError = refusal(500, "Something went wrong here", "look into the service's log, where it says what")

/** Of an address that is there for WebSockets alone (RFC 9110, 15.5.22). */
const upgradeRequired = refusal(426, "A WebSocket is served here", "connect with a WebSocket client (RFC 6455)", {
  upgrade: "websocket",
  connection: "upgrade"
})
