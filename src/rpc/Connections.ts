import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Session } from "../../schema/Auth.ts"
import type { AuthFailed } from "../../schema/Errors.ts"
import { type NotificationMethod, notifications } from "../../schema/Event.ts"
import { maxFrameBytes } from "../../schema/JsonRpc.ts"
import { monotonicMillis } from "../ground/Time.ts"
import type { MessageLimits, Peer } from "../ground/Visits.ts"
import { notificationText } from "./Reply.ts"
import { Addresses } from "./Addresses.ts"
import { Authorities } from "./Authorities.ts"
import { TokenBucket } from "./TokenBucket.ts"
import { Strangers } from "./Strangers.ts"

/** One client that is connected. */
export interface Connection {
  /** the `id` of the `Rpc.ServerClient` that handlers and middleware get */
  readonly id: number
  readonly peer: Peer
  /** the host and the port by which it came, as it wrote them */
  readonly cameBy: string | undefined
  /** the same, once it has authenticated and where there are not too many of them */
  authority: string | undefined
  /** what is left of its share of requests */
  readonly bucket: TokenBucket
  /** why the credential that it showed when it came is of no use */
  refused: AuthFailed | undefined
  /** set by `authenticate`, and kept when the token expires */
  session: Session | undefined
}

/** What a client may send as one message once it has authenticated; the ground lets a stranger send much less. */
const memberLimits: MessageLimits = { bytes: maxFrameBytes, fragments: 16_384 }

type Params<Method extends NotificationMethod> = (typeof notifications)[Method]["Type"]

/** Who gets a notification, of those whose session is valid. */
export type Audience = (session: Session, connection: Connection) => boolean

/** A client that has left this many bytes unread gets no notifications until it has read them. */
const maxUnreadForNotifications = 512 << 10

/** All clients that are connected now, and the way to tell them something unasked. */
export class Connections extends Context.Service<
  Connections,
  {
    readonly all: ReadonlyMap<number, Connection>
    /** by the `id` of `Rpc.ServerClient`; undefined once the client has gone */
    readonly get: (clientId: number) => Connection | undefined
    /** those of them that have never authenticated */
    readonly strangers: Strangers
    /** how many there are from where this address is from */
    readonly from: (address: string) => number
    /** a new client, and by which host and port it came; the protocol calls it, and `remove` */
    readonly add: (peer: Peer, cameBy?: string) => Connection
    readonly remove: (clientId: number) => void
    /** the client holds this session from now on */
    readonly authenticate: (clientId: number, session: Session) => void
    /** closes every connection with this code; returns when they are gone */
    readonly closeAll: (code: number, reason: string) => Effect.Effect<void>
    /**
     * Sends a notification to every authenticated client whose session has not expired and whom `audience` (default:
     * everybody) admits; encoded once, dropped for a client that is far behind. Gives how many got it.
     */
    readonly notify: <Method extends NotificationMethod>(
      method: Method,
      params: Params<Method>,
      audience?: Audience
    ) => Effect.Effect<number>
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
      let nextId = 0

      const notify = Effect.fn("Connections.notify")(function* (
        method: NotificationMethod,
        params: Params<NotificationMethod>,
        audience?: Audience
      ) {
        const now = yield* Clock.currentTimeMillis
        let text: string | undefined
        let count = 0
        for (const connection of all.values()) {
          const { peer, session } = connection
          if (session === undefined || session.expiresAt <= now) continue
          if (audience !== undefined && !audience(session, connection)) continue
          if (peer.buffered() > maxUnreadForNotifications) continue
          text ??= notificationText(method, encoders[method](params))
          peer.send(text)
          count++
        }
        return count
      })

      return Connections.of({
        all,
        get: (clientId) => all.get(clientId),
        strangers,
        from: (address) => addresses.count(address),
        add(peer, cameBy) {
          const connection: Connection = {
            id: nextId++,
            peer,
            cameBy,
            authority: undefined,
            bucket: new TokenBucket(),
            refused: undefined,
            session: undefined
          }
          all.set(connection.id, connection)
          addresses.add(peer.address)
          strangers.add(peer, run(monotonicMillis))
          empty.closeUnsafe()
          return connection
        },
        remove(clientId) {
          const connection = all.get(clientId)
          if (connection === undefined) return
          const { authority, peer } = connection
          all.delete(clientId)
          addresses.delete(peer.address)
          strangers.delete(peer)
          authorities.giveBack(authority)
          if (all.size === 0) empty.openUnsafe()
        },
        authenticate(clientId, session) {
          const connection = all.get(clientId)
          if (connection === undefined) return
          connection.authority ??= authorities.take(connection.cameBy)
          connection.session = session
          connection.refused = undefined
          strangers.delete(connection.peer)
          connection.peer.limit(memberLimits)
        },
        closeAll: (code, reason) =>
          Effect.suspend(() => {
            for (const { peer } of all.values()) peer.cut(code, reason)
            return empty.await
          }),
        notify
      })
    })
  )
}

const encoders = Object.fromEntries(
  Object.entries(notifications).map(([method, params]) => [
    method,
    Schema.encodeUnknownSync(Schema.toCodecJson(params as Schema.Codec<unknown>))
  ])
) as { readonly [Method in NotificationMethod]: (params: unknown) => unknown }
