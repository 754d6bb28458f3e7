import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Credentials } from "../auth/Credentials.ts"
import { FailedLogins } from "../auth/FailedLogins.ts"
import { authorityIn, isLoopback } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { originAllowed, otherOrigin } from "../http/Origins.ts"
import type { Peer, Refusal, RequestHead } from "../ground/Visits.ts"
import { credentialOf, one } from "../http/Credential.ts"
import { PublicHttp } from "../http/PublicHttp.ts"
import { refusal } from "../http/Refusal.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { makeWarner } from "../telemetry/Warner.ts"
import { Connections } from "./Connections.ts"
import { JsonRpcProtocol } from "./Protocol.ts"

/** Who has not authenticated by then does not mean to, or cannot. */
const timeOfStranger = 30_000
/** Where all connections are taken, who has not authenticated by then has to make room: authenticating takes one message. */
const graceOfStranger = 5_000

type ConnectionLimit = `max_${"connections" | "connections_per_address" | "unauthenticated_per_address"}`

/** What is answered where there is no room; `retryAfter`: the seconds after which strangers have made some. */
const full: Readonly<
  Record<
    ConnectionLimit,
    { readonly [Key in "error" | "suggestion"]: string } & Record<"status" | "retryAfter", number>
  >
> = {
  max_connections: {
    status: 503,
    error: "all connections are taken",
    suggestion: "connect again later",
    retryAfter: graceOfStranger / 1000
  },
  max_connections_per_address: {
    status: 429,
    error: "this address has as many connections as one may have",
    suggestion: "use those that there are, close some",
    retryAfter: graceOfStranger / 1000
  },
  max_unauthenticated_per_address: {
    status: 429,
    error: "this address has as many connections that have not authenticated as one may have",
    suggestion: "authenticate on those that there are, or close some",
    retryAfter: timeOfStranger / 1000
  }
}

const stopping = refusal(503, "the service is stopping", "connect again when it runs", { "retry-after": 5 })

/** JSON-RPC over WebSocket at `/ws` (and `/ws/`): who may connect, how many, and for how long. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const settings = yield* Settings
    const http = yield* PublicHttp
    const protocol = yield* JsonRpcProtocol
    const credentials = yield* Credentials
    const failedLogins = yield* FailedLogins
    const { all, closeAll, from, strangers } = yield* Connections
    const warn = yield* makeWarner
    const refused = yield* makeRefusals
    const run = Effect.runSyncWith(yield* Effect.context<never>())
    let ending = false

    /** closes the connection of the stranger that has been here longest, if that is so many milliseconds */
    const dismiss = (
      age: number,
      limit: "server.max_connections" | "time to authenticate",
      reason: string
    ): boolean => {
      const stranger = strangers.oldest(age, run(monotonicMillis))
      if (stranger === undefined) return false
      strangers.delete(stranger)
      const { address: peer } = stranger
      refused(limit, peer, "a client that did not authenticate is cut off", { peer, after_seconds: age / 1000 })
      stranger.peer.cut(1008, reason)
      return true
    }

    const makeRoom = (): boolean =>
      dismiss(graceOfStranger, "server.max_connections", "all connections are taken: authenticate sooner")

    const refuseOrigin = ({ address: peer, headers }: RequestHead): Refusal => {
      const setting = "server.allowed_origins"
      const origin = one(headers["origin"])?.slice(0, 256)
      const why = "a page of another origin may not connect: add its origin to the setting if it may"
      warn(`${setting} ${peer}`, why, { peer, ...(origin === undefined ? {} : { origin }), setting })
      return refusal(403, otherOrigin.error, otherOrigin.suggestion)
    }

    const refuse = (peer: string, limit: ConnectionLimit, at_most: number): Refusal => {
      const setting = `server.${limit}` as const
      const { error, retryAfter, status, suggestion } = full[limit]
      refused(setting, peer, error, { peer, at_most })
      return refusal(status, error, `${suggestion}, or have ${setting} (${at_most}) raised`, {
        "retry-after": retryAfter
      })
    }

    const admit = (request: RequestHead) => {
      const { allowed_origins, max_connections, max_connections_per_address, max_unauthenticated_per_address } =
        liveNow(settings).server
      const { address, isSecure } = request
      if (!originAllowed(request, allowed_origins)) return refuseOrigin(request)
      if (!isLoopback(address)) {
        if (from(address) >= max_connections_per_address) {
          return refuse(address, "max_connections_per_address", max_connections_per_address)
        }
        if (strangers.from(address) >= max_unauthenticated_per_address) {
          return refuse(address, "max_unauthenticated_per_address", max_unauthenticated_per_address)
        }
      }
      if (ending) return stopping
      if (all.size >= max_connections && !makeRoom()) return refuse(address, "max_connections", max_connections)
      const cameBy = authorityIn(one(request.headers["host"]))
      const credential = credentialOf(request)
      const login =
        credential === undefined
          ? undefined
          : failedLogins.slowed({ address, credential, over: "JSON-RPC" }, credentials.verify(credential))
      return (peer: Peer) => protocol.connect(peer, { address, cameBy, isSecure, login })
    }
    for (const path of ["/ws", "/ws/"]) yield* http.admit(path, admit)
    yield* Effect.addFinalizer(() => {
      ending = true
      return closeAll(1001, "the server is stopping")
    })

    const sweep = Effect.sync(() => {
      while (dismiss(timeOfStranger, "time to authenticate", "authenticate within 30 seconds"));
    })
    yield* Effect.andThen(strangers.present.await, Effect.delay(sweep, "1 second")).pipe(
      Effect.forever,
      Effect.forkScoped
    )
  })
)
