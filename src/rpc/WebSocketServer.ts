import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { originAllowed } from "../http/Origins.ts"
import { PublicHttp } from "../http/PublicHttp.ts"
import { Connections } from "./Connections.ts"
import { JsonRpcProtocol } from "./Protocol.ts"

/** Who has not authenticated by then does not mean to, or cannot. */
const timeOfStranger = 30_000
/** Where all connections are taken, who has not authenticated by then has to make room: authenticating takes one message. */
const graceOfStranger = 5_000

/** JSON-RPC over WebSocket at `/ws`: who may connect, how many, and for how long. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const settings = yield* Settings
    const http = yield* PublicHttp
    const protocol = yield* JsonRpcProtocol
    const { all, closeAll, strangers } = yield* Connections
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

    yield* http.admit("/ws", (request) => {
      const { allowed_origins, max_connections, max_unauthenticated_per_address } = liveNow(settings).server
      const { address } = request
      if (!originAllowed(request, allowed_origins)) return 403
      if (!isLoopback(address) && strangers.from(address) >= max_unauthenticated_per_address) return 429
      if (ending || (all.size >= max_connections && !makeRoom())) return 503
      return protocol.connect
    })
    yield* Effect.addFinalizer(() => {
      ending = true
      return closeAll(1001, "the server is stopping")
    })

    yield* Effect.sync(() => {
      while (dismiss(timeOfStranger, "authenticate within 30 seconds"));
    }).pipe(Effect.schedule(Schedule.spaced("1 second")), Effect.forkScoped)
  })
)

/**
 * Whoever is on this machine is its operator, or a proxy in front of us, which has everybody's clients and its own limits:
 * its connections are not counted as those of one.
 */
const isLoopback = (address: string): boolean =>
  address === "::1" || address.startsWith("127.") || address.startsWith("::ffff:127.")
