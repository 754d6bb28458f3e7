import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import { EventRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidState } from "../../schema/Errors.ts"
import type { SubscribableName } from "../../schema/Event.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { noSubscription, sizeOf, subscribed, unsubscribed } from "../events/Subscription.ts"
import { visible } from "./Authorization.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { whoIs } from "./Connection.ts"
import { Connections } from "./Connections.ts"

export const layer = EventRpcs.toLayer(
  Effect.gen(function* () {
    const settings = yield* Settings
    const connections = yield* Connections
    const refused = yield* makeRefusals

    /** Of a client that has just gone nothing is kept. */
    const subscriptionOf = (clientId: number) => connections.get(clientId)?.subscription ?? noSubscription

    const tooMany = (clientId: number, at_most: number): void => {
      const connection = connections.get(clientId)
      if (connection === undefined) return
      const about = { ...whoIs(connection), at_most }
      refused("server.max_subscriptions_per_client", about.peer, "a client has too many subscriptions", about)
    }

    return EventRpcs.of({
      subscribe_events: Effect.fnUntraced(function* ({ filters = {}, topics }, { client }) {
        const camera = filters.device === undefined ? undefined : yield* visible(filters.device)
        const subscription = subscribed(subscriptionOf(client.id), topics, camera)
        const most = liveNow(settings).server.max_subscriptions_per_client
        if (sizeOf(subscription) > most) {
          tooMany(client.id, most)
          return yield* new InvalidState({
            state: "too many subscriptions",
            allowed_states: [`${most} at most: a topic counts for each camera that it is narrowed to`],
            suggestion: "subscribe without a device, which counts once, or call unsubscribe_events first"
          })
        }
        connections.subscribe(client.id, subscription)
        return { subscribed: true, topics: [...new Set(topics)], filters }
      }),

      unsubscribe_events: ({ topics }, { client }) =>
        Effect.sync(() => {
          const before = subscriptionOf(client.id)
          connections.subscribe(client.id, topics === undefined ? noSubscription : unsubscribed(before, topics))
          return { unsubscribed: true, topics: [...new Set(topics ?? before.keys())] }
        }),

      get_subscription_stats: (_, { client }) =>
        Effect.map(CurrentSession, ({ sessionId }) => {
          let total = 0
          let clients = 0
          const counts: Partial<Record<SubscribableName, number>> = {}
          for (const { subscription } of connections.all.values()) {
            total += sizeOf(subscription)
            if (subscription.size > 0) clients++
            for (const topic of subscription.keys()) counts[topic] = (counts[topic] ?? 0) + 1
          }
          return {
            global_stats: { total_subscriptions: total, active_clients: clients, topic_counts: counts },
            client_topics: [...subscriptionOf(client.id).keys()],
            client_id: sessionId
          }
        })
    })
  })
)
