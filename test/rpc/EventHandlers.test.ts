import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onFakes } from "../support/App.ts"
import { listeningClient } from "../support/Story.ts"

describe("subscribe_events", () => {
  onFakes(
    "answers with what was asked for, and takes the other names of topics",
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      const topics = ["camera.*", "recording.started", "recording.stopped", "camera_status_update"]
      assert.deepStrictEqual(yield* client.call("subscribe_events", { topics: [...topics, "camera.*"] }), {
        subscribed: true,
        topics,
        filters: {}
      })
      const filters = { device: "camera3" }
      assert.deepInclude(yield* client.call("subscribe_events", { topics: ["snapshot.taken"], filters }), { filters })
      assert.deepInclude(yield* client.call("get_subscription_stats", {}), {
        client_topics: [
          "camera.connected",
          "camera.disconnected",
          "camera.status_change",
          "camera.removed",
          "recording.start",
          "recording.stop",
          "camera_status_update",
          "snapshot.taken"
        ]
      })
    })
  )

  onFakes(
    "tells which topic is none, and which one was meant; nothing is subscribed to then",
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      const families = "a topic, or all that begin alike: camera.*, recording.*, snapshot.*, discovery.*, system.*"
      const refused = Effect.fnUntraced(function* (topics: unknown, filters?: unknown) {
        const params = { topics, ...(filters === undefined ? {} : { filters }) }
        const error = yield* client.error("subscribe_events", params)
        const data = error?.["data"] as Readonly<Record<"hint" | "param" | "rule", string>> | undefined
        assert.strictEqual(error?.["code"], -32602)
        if (data?.param === "topics") assert.strictEqual(data.rule, "a list of 1 to 100 topics")
        return [data?.param, data?.hint]
      })
      const meant = (topic: string) => ["topics[1]", `did you mean ${topic}?`]
      assert.deepStrictEqual(yield* refused(["camera.connected", "camera.conected"]), meant("camera.connected"))
      assert.deepStrictEqual(yield* refused(["camera.connected", "camera*"]), meant("camera.*"))
      assert.deepStrictEqual(yield* refused(["camera.connected", "recording.begin"]), meant("recording.start"))
      for (const topic of ["*", "", ".*", "everything at once", "x".repeat(10_000), 7, null]) {
        assert.deepStrictEqual(yield* refused([topic]), ["topics[0]", families])
      }
      assert.strictEqual((yield* refused([]))[0], "topics")
      assert.strictEqual((yield* refused(Array.from({ length: 101 }, () => "camera.*")))[0], "topics")
      assert.strictEqual((yield* refused(["camera.*"], { device: "/dev/video0" }))[0], "filters.device")
      assert.deepStrictEqual(yield* refused(["camera.*"], { camera: "camera0" }), [
        "filters.camera",
        "it takes device?"
      ])
      assert.deepInclude(yield* client.call("get_subscription_stats", {}), { client_topics: [] })
    })
  )

  onFakes(
    "knows no camera that the token does not name",
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer", ["camera1"])
      const filters = { device: "camera0" }
      const error = yield* client.error("subscribe_events", { topics: ["camera.*"], filters })
      assert.strictEqual(error?.code, -32010)
      assert.include(error?.data, { resource: "camera", id: "camera0" })
    })
  )

  onFakes(
    "takes so many and no more, and says how to do with fewer",
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      const subscribe = (device: string) => ({ topics: ["camera.*"], filters: { device } })
      yield* client.call("subscribe_events", subscribe("camera0"))
      const error = yield* client.error("subscribe_events", subscribe("camera1"))
      assert.strictEqual(error?.["code"], -32020)
      assert.match(JSON.stringify(error), /subscribe without a device.*6 at most/)
      const stats = yield* client.call("get_subscription_stats", {})
      assert.deepInclude(stats?.["global_stats"], { total_subscriptions: 4 })
      // what it says helps
      assert.deepInclude(yield* client.call("subscribe_events", { topics: ["camera.*"] }), { subscribed: true })
      yield* client.call("unsubscribe_events", {})
      assert.deepInclude(yield* client.call("subscribe_events", subscribe("camera1")), { subscribed: true })
    }),
    { server: { max_subscriptions_per_client: 6 } }
  )
})

describe("unsubscribe_events", () => {
  onFakes(
    "takes back what is named, or all of it",
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      const own = Effect.map(client.call("get_subscription_stats", {}), (stats) => stats?.["client_topics"])
      yield* client.call("subscribe_events", { topics: ["camera.*", "system.health"] })
      const topics = ["camera.connected", "recording.*"]
      assert.deepStrictEqual(yield* client.call("unsubscribe_events", { topics }), { unsubscribed: true, topics })
      assert.deepStrictEqual(yield* own, [
        "camera.disconnected",
        "camera.status_change",
        "camera.removed",
        "system.health"
      ])
      assert.deepInclude(yield* client.call("unsubscribe_events", {}), {
        topics: ["camera.disconnected", "camera.status_change", "camera.removed", "system.health"]
      })
      assert.deepStrictEqual(yield* own, [])
    })
  )
})

describe("get_subscription_stats", () => {
  onFakes(
    "counts clients and topics; who has gone counts no more",
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      const stats = client.call("get_subscription_stats", {})
      yield* listeningClient("viewer")
      yield* Effect.gen(function* () {
        const other = yield* listeningClient("operator")
        yield* other.call("subscribe_events", { topics: ["recording.*", "system.health"] })
        yield* client.call("subscribe_events", { topics: ["system.health"] })
        const told = yield* stats
        assert.deepInclude(told, {
          global_stats: {
            total_subscriptions: 5,
            active_clients: 2,
            topic_counts: { "recording.start": 1, "recording.stop": 1, "recording.error": 1, "system.health": 2 }
          },
          client_topics: ["system.health"]
        })
        const others = yield* other.call("get_subscription_stats", {})
        assert.notStrictEqual(told?.["client_id"], others?.["client_id"])
      }).pipe(Effect.scoped)
      assert.deepInclude(yield* stats, {
        global_stats: { total_subscriptions: 1, active_clients: 1, topic_counts: { "system.health": 1 } }
      })
    })
  )
})
