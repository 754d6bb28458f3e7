import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Session } from "../../schema/Auth.ts"
import { type NotificationMethod, notifications } from "../../schema/Event.ts"
import { notificationText } from "./Reply.ts"

/** What a transport does for one client. */
export interface Peer {
  /** the address of the other side, for logs */
  readonly address: string
  readonly send: (text: string) => void
  /** bytes given to `send` that the system has not taken yet */
  readonly buffered: () => number
  /** stops reading from the client */
  readonly pause: () => void
  readonly resume: () => void
  /** ends the connection at once, with a close code (RFC 6455, section 7.4.1) */
  readonly cut: (code: number, reason: string) => void
}

/** One client that is connected; `authenticate` stores its session here. */
export interface Connection {
  /** the `id` of the `Rpc.ServerClient` that handlers and middleware get */
  readonly id: number
  readonly peer: Peer
  session: Session | undefined
}

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
    /** a new client; the protocol calls it, and `remove` */
    readonly add: (peer: Peer) => Connection
    readonly remove: (clientId: number) => void
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
  static readonly layer = Layer.sync(Connections, () => {
    const all = new Map<number, Connection>()
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
      add(peer) {
        const connection = { id: nextId++, peer, session: undefined }
        all.set(connection.id, connection)
        return connection
      },
      remove: (clientId) => void all.delete(clientId),
      notify
    })
  })
}

const encoders = Object.fromEntries(
  Object.entries(notifications).map(([method, params]) => [
    method,
    Schema.encodeUnknownSync(Schema.toCodecJson(params as Schema.Codec<unknown>))
  ])
) as { readonly [Method in NotificationMethod]: (params: unknown) => unknown }
