import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import type { Session } from "../../schema/Auth.ts"
import { maxFrameBytes } from "../../schema/JsonRpc.ts"
import { noSubscription, type Subscription } from "../events/Subscription.ts"
import { moments, monotonicMillis } from "../ground/Time.ts"
import type { MessageLimits, Peer } from "../ground/Visits.ts"
import { connections, observe } from "../telemetry/Metrics.ts"
import { Addresses } from "./Addresses.ts"
import { Authorities } from "./Authorities.ts"
import type { Connection } from "./Connection.ts"
import { makePosting, type Posting } from "./Posting.ts"
import { Strangers } from "./Strangers.ts"
import { TokenBucket } from "./TokenBucket.ts"

/** What a client may send as one message once it has authenticated; the ground lets a stranger send much less. */
const memberLimits: MessageLimits = { bytes: maxFrameBytes, fragments: 16_384 }

/** All clients that are connected now, and the way to tell them something unasked. */
export class Connections extends Context.Service<
  Connections,
  Omit<Posting, "discard"> & {
    readonly all: ReadonlyMap<number, Connection>
    /** by the `id` of `Rpc.ServerClient`; undefined once the client has gone */
    readonly get: (clientId: number) => Connection | undefined
    /** those of them that have never authenticated */
    readonly strangers: Strangers
    /** how many there are from where this address is from */
    readonly from: (address: string) => number
    /** a new client, and how it came; the protocol calls it, and `remove` */
    readonly add: (peer: Peer, how: Pick<Connection, "address" | "cameBy" | "isSecure">) => Connection
    readonly remove: (clientId: number) => void
    /** returns when the client has gone, which it may have already */
    readonly gone: (clientId: number) => Effect.Effect<void>
    /** the client holds this session from now on */
    readonly authenticate: (clientId: number, session: Session) => void
    /** the client is subscribed to this, and to nothing else, from now on */
    readonly subscribe: (clientId: number, subscription: Subscription) => void
    /** closes every connection with this code; returns when they are gone */
    readonly closeAll: (code: number, reason: string) => Effect.Effect<void>
  }
>()("camera-service/rpc/Connections") {
  static readonly layer = Layer.effect(
    Connections,
    Effect.gen(function* () {
      const run = Effect.runSyncWith(yield* Effect.context<never>())
      const all = new Map<number, Connection>()
      const strangers = new Strangers()
      const addresses = new Addresses()
      const authorities = new Authorities()
      const empty = Latch.makeUnsafe(true)
      /** what waits for the end of a client; few do */
      const ends = new Map<number, Set<() => void>>()
      let nextId = 0
      yield* observe(connections, () => all.size)

      const now = yield* moments
      const posting = yield* makePosting(all)

      return Connections.of({
        all,
        get: (clientId) => all.get(clientId),
        strangers,
        from: (address) => addresses.count(address),
        add(peer, how) {
          const connection: Connection = {
            id: nextId++,
            peer,
            ...how,
            since: now().wall,
            authority: undefined,
            bucket: new TokenBucket(),
            refused: undefined,
            session: undefined,
            subscription: noSubscription,
            lost: 0
          }
          all.set(connection.id, connection)
          addresses.add(how.address)
          strangers.add(connection, run(monotonicMillis))
          empty.closeUnsafe()
          return connection
        },
        remove(clientId) {
          const connection = all.get(clientId)
          if (connection === undefined) return
          const { address, authority } = connection
          all.delete(clientId)
          posting.discard(connection)
          addresses.delete(address)
          strangers.delete(connection)
          authorities.giveBack(authority)
          for (const end of ends.get(clientId) ?? []) end()
          ends.delete(clientId)
          if (all.size === 0) empty.openUnsafe()
        },
        gone: (clientId) =>
          Effect.callback((resume) => {
            if (!all.has(clientId)) return resume(Effect.void)
            const end = () => resume(Effect.void)
            const waiting = ends.get(clientId) ?? new Set()
            ends.set(clientId, waiting.add(end))
            return Effect.sync(() => {
              waiting.delete(end)
              if (waiting.size === 0) ends.delete(clientId)
            })
          }),
        authenticate(clientId, session) {
          const connection = all.get(clientId)
          if (connection === undefined) return
          connection.authority ??= authorities.take(connection.cameBy)
          connection.session = session
          connection.refused = undefined
          strangers.delete(connection)
          connection.peer.limit(memberLimits)
        },
        subscribe(clientId, subscription) {
          const connection = all.get(clientId)
          if (connection !== undefined) connection.subscription = subscription
        },
        closeAll: (code, reason) =>
          Effect.suspend(() => {
            for (const connection of all.values()) {
              posting.deliver(connection)
              connection.peer.cut(code, reason)
            }
            return empty.await
          }),
        notify: posting.notify,
        deliver: posting.deliver,
        drained: posting.drained
      })
    })
  )
}
