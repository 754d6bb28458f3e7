import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import type { Session } from "../../schema/Auth.ts"
import { type NotificationMethod, notifications } from "../../schema/Event.ts"
import { whyOver } from "../auth/Credentials.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { isoTime, moments, monotonicMillis } from "../ground/Time.ts"
import { notificationsDropped } from "../telemetry/Metrics.ts"
import type { Connection } from "./Connection.ts"
import { Outbox } from "./Outbox.ts"
import { notificationText } from "./Reply.ts"

type Params<Method extends NotificationMethod> = (typeof notifications)[Method]["Type"]

/** Who gets a notification, of those whose session is valid. */
export type Audience = (session: Session, connection: Connection) => boolean

/** Tells clients something unasked. */
export interface Posting {
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
  /** the client goes: nothing waits for it any more */
  readonly discard: (connection: Connection) => void
}

/** A client that has left this part of what it may leave unread gets no notifications until it has read on. */
const unreadForNotifications = 1 / 8

/** So many clients are told in one go; then others have their turn. */
const inOneGo = 100
/** After a round of notifications those that come wait twice as long as it took, and no longer than this (milliseconds). */
const longestPause = 25

/** Makes it, for these clients. */
export const makePosting = Effect.fnUntraced(function* (all: ReadonlyMap<number, Connection>) {
  const run = Effect.runSyncWith(yield* Effect.context<never>())
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

  const notify = Effect.fnUntraced(function* (
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

  const posting: Posting = {
    notify,
    deliver: (connection) => outbox.deliver(connection),
    drained: (connection) => {
      const { session } = connection
      if (session !== undefined && whyOver(session, now().wall) === undefined) outbox.tellLost(connection)
    },
    discard: (connection) => outbox.discard(connection)
  }
  return posting
})

const encoders = Object.fromEntries(
  Object.entries(notifications).map(([method, params]) => [
    method,
    Schema.encodeUnknownSync(Schema.toCodecJson(params as Schema.Codec<unknown>))
  ])
) as { readonly [Method in NotificationMethod]: (params: unknown) => unknown }
