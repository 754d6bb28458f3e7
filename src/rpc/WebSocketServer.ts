import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Credentials } from "../auth/Credentials.ts"
import { FailedLogins } from "../auth/FailedLogins.ts"
import { authorityIn, isLoopback } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { originAllowed } from "../http/Origins.ts"
import type { Peer, RequestHead } from "../ground/Visits.ts"
import { credentialOf, one } from "../http/Credential.ts"
import { PublicHttp } from "../http/PublicHttp.ts"
import { type Limit, makeRefusals } from "../telemetry/Metrics.ts"
import { makeWarner } from "../telemetry/Warner.ts"
import { Connections } from "./Connections.ts"
import { JsonRpcProtocol } from "./Protocol.ts"

/** Who has not authenticated by then does not mean to, or cannot. */
const timeOfStranger = 30_000
/** Where all connections are taken, who has not authenticated by then has to make room: authenticating takes one message. */
const graceOfStranger = 5_000

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
    const dismiss = (age: number, reason: string): boolean => {
      const stranger = strangers.oldest(age, run(monotonicMillis))
      if (stranger === undefined) return false
      strangers.delete(stranger)
      stranger.cut(1008, reason)
      return true
    }

    const makeRoom = (): boolean => dismiss(graceOfStranger, "all connections are taken: authenticate sooner")

    const refuse = (
      request: RequestHead,
      status: number,
      why: string,
      setting: Limit | "server.allowed_origins"
    ): number => {
      if (setting !== "server.allowed_origins") refused(setting)
      const { address: peer, headers } = request
      const origin = one(headers["origin"])?.slice(0, 256)
      warn(`${setting} ${peer}`, why, { peer, ...(origin === undefined ? {} : { origin }), setting })
      return status
    }

    const admit = (request: RequestHead) => {
      const { allowed_origins, max_connections, max_connections_per_address, max_unauthenticated_per_address } =
        liveNow(settings).server
      const { address } = request
      if (!originAllowed(request, allowed_origins)) {
        const why = "a page of another origin may not connect: add its origin to the setting if it may"
        return refuse(request, 403, why, "server.allowed_origins")
      }
      if (!isLoopback(address)) {
        const why = "one address has too many connections: more of it are refused"
        if (from(address) >= max_connections_per_address) {
          return refuse(request, 429, why, "server.max_connections_per_address")
        }
        if (strangers.from(address) >= max_unauthenticated_per_address) {
          return refuse(request, 429, why, "server.max_unauthenticated_per_address")
        }
      }
      if (ending) return 503
      if (all.size >= max_connections && !makeRoom()) {
        return refuse(request, 503, "all connections are taken: more are refused", "server.max_connections")
      }
      const cameBy = authorityIn(one(request.headers["host"]))
      // whoever lies about it is told URLs that do not work
      const isSecure = one(request.headers["x-forwarded-proto"]) === "https"
      const credential = credentialOf(request)
      const login =
        credential === undefined
          ? undefined
          : failedLogins.slowed({ address, credential, over: "JSON-RPC" }, credentials.verify(credential))
      return (peer: Peer) => protocol.connect(peer, { cameBy, isSecure, login })
    }
    for (const path of ["/ws", "/ws/"]) yield* http.admit(path, admit)
    yield* Effect.addFinalizer(() => {
      ending = true
      return closeAll(1001, "the server is stopping")
    })

    yield* Effect.sync(() => {
      while (dismiss(timeOfStranger, "authenticate within 30 seconds"));
    }).pipe(Effect.schedule(Schedule.spaced("1 second")), Effect.forkScoped)
  })
)
