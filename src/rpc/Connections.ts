import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import type { Session } from "../../schema/Auth.ts"
import { type NotificationMethod, notifications } from "../../schema/Event.ts"
import { maxFrameBytes } from "../../schema/JsonRpc.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { noSubscription, type Subscription } from "../events/Subscription.ts"
import { isoTime, moments, monotonicMillis } from "../ground/Time.ts"
import { whyOver } from "../auth/Credentials.ts"
import type { MessageLimits, Peer } from "../ground/Visits.ts"
import { connections, notificationsDropped, observe } from "../telemetry/Metrics.ts"
import type { Connection } from "./Connection.ts"
import { Outbox } from "./Outbox.ts"
import { notificationText } from "./Reply.ts"
import { Addresses } from "./Addresses.ts"
import { Authorities } from "./Authorities.ts"
import { TokenBucket } from "./TokenBucket.ts"
import { Strangers } from "./Strangers.ts"

/** What a client may send as one message once it has authenticated; the ground lets a stranger send much less. */
const memberLimits: MessageLimits = { bytes: maxFrameBytes, fragments: 16_384 }

type Params<Method extends NotificationMethod> = (typeof notifications)[Method]["Type"]

/** Who gets a notification, of those whose session is valid. */
export type Audience = (session: Session, connection: Connection) => boolean

/** A client that has left this part of what it may leave unread gets no notifications until it has read on. */
const unreadForNotifications = 1 / 8

/** So many clients are told in one go; then others have their turn. */
const inOneGo = 100
/** After a round of notifications those that come wait twice as long as it took, and no longer than this. */
const longestPause = 25

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
    /**
     * Sends a notification to every authenticated client whose session is not over and whom `audience` (default:
     * everybody) admits; encoded once. A client that is far behind loses it, and is told so when it reads on.
     */
    readonly notify: <Method extends NotificationMethod>(
      method: Method,
      params: Params<Method>,
      audience?: Audience
    ) => Effect.Effect<void>
    /** sends what still waits for this client: before a reply that was made after it */
    readonly deliver: (connection: Connection) => void
    /** the client has read all that was sent */
    readonly drained: (connection: Connection) => void
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

      const settings = yield* Settings
      const now = yield* moments
      const outbox = new Outbox(
        () => liveNow(settings).server.max_unread_kilobytes * 1024 * unreadForNotifications,
        (lost) => {
          const params = { topic: "system.notifications_lost", timestamp: isoTime(now().wall), data: { lost } } as const
          return notificationText("event", encoders.event(params))
        },
        (count) => run(Metric.update(notificationsDropped, count))
      )
      const waiting = Latch.makeUnsafe(false)

      const round = Effect.gen(function* () {
        yield* waiting.await
        waiting.closeUnsafe()
        const began = yield* monotonicMillis
        for (const [number, connection] of outbox.round().entries()) {
          if (number % inOneGo === inOneGo - 1) yield* Effect.yieldNow
          outbox.deliver(connection)
        }
        const millis = (yield* monotonicMillis) - began
        if (millis >= 1) yield* Effect.sleep(Duration.millis(Math.min(2 * millis, longestPause)))
      })
      yield* Effect.forkScoped(Effect.forever(round))

      const notify = Effect.fn("Connections.notify")(function* (
        method: NotificationMethod,
        params: Params<NotificationMethod>,
        audience?: Audience
      ) {
        const time = yield* Clock.currentTimeMillis
        let text: string | undefined
        for (const connection of all.values()) {
          const { session } = connection
          if (session === undefined || whyOver(session, time) !== undefined) continue
          if (audience !== undefined && !audience(session, connection)) continue
          text ??= notificationText(method, encoders[method](params))
          outbox.post(connection, text)
        }
        if (text !== undefined) waiting.openUnsafe()
      })

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
          outbox.discard(connection)
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
              outbox.deliver(connection)
              connection.peer.cut(code, reason)
            }
            return empty.await
          }),
        notify,
        deliver: (connection) => outbox.deliver(connection),
        drained(connection) {
          const { session } = connection
          if (session !== undefined && whyOver(session, now().wall) === undefined) outbox.tellLost(connection)
        }
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
