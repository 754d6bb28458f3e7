import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Status } from "../../src/stream/Status.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Question } from "../../testing/Visitors.ts"
import { beginDownload, beginExport, longRecording } from "../support/LongRecording.ts"
import { connectAs, tokenFor } from "../rpc/Harness.ts"
import { readyStream, untilReady } from "../suites/streams.ts"
import { disturb, disturbWork, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { listeningClient } from "../support/Story.ts"
import { bearer, untilHeld, visit } from "../support/StreamVisitor.ts"
import type { Rows } from "./LiveRows.ts"

/** The HTTP status that a WebSocket is refused with; 101: it is not. */
const knock = (question: Partial<Question> = {}) =>
  Effect.flatMap(TestGround, ({ visitors }) =>
    Effect.match(visitors.connect(8002, { target: "/ws", ...question }), {
      onSuccess: () => 101,
      onFailure: (refused) => ("status" in refused ? refused.status : 0)
    })
  )

/** A client that leaves unread whatever it is told. */
const idler = Effect.map(connectAs("admin"), (client) => {
  client.stopReading()
  return {
    ...client,
    /** asks for a reply of so many kilobytes */
    ask: (method: string, kilobytes: number) =>
      client.send({ jsonrpc: "2.0", id: "x".repeat(kilobytes * 1024), method })
  }
})

export const serverRows: Rows = {
  "server.max_connections": (change) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* knock(), 101)
      yield* change(1)
      assert.strictEqual(yield* knock(), 503)
    }),
  "server.max_connections_per_address": (change) =>
    Effect.gen(function* () {
      const address = "10.0.0.9"
      assert.strictEqual(yield* knock({ address }), 101)
      yield* change(1)
      assert.strictEqual(yield* knock({ address }), 429)
    }),
  "server.max_unauthenticated_per_address": (change) =>
    Effect.gen(function* () {
      const address = "10.0.0.9"
      assert.strictEqual(yield* knock({ address }), 101)
      yield* change(1)
      assert.strictEqual(yield* knock({ address }), 429)
    }),
  "server.max_downloads_per_user": (change) =>
    Effect.gen(function* () {
      yield* longRecording
      const token = yield* tokenFor("viewer")
      assert.strictEqual((yield* beginDownload(token)).status, 200)
      yield* change(1)
      assert.strictEqual((yield* beginDownload(token)).status, 429)
    }),
  "server.max_downloads_per_address": (change) =>
    Effect.gen(function* () {
      yield* longRecording
      assert.strictEqual((yield* beginDownload(yield* tokenFor("viewer"))).status, 200)
      yield* change(1)
      assert.strictEqual((yield* beginDownload(yield* tokenFor("admin"))).status, 429)
    }),
  "server.max_exports_per_user": (change) =>
    Effect.gen(function* () {
      yield* longRecording
      yield* disturbWork({ export: "hangs" })
      const shown = bearer(yield* tokenFor("viewer"))
      assert.strictEqual((yield* beginExport(shown)).status, 200)
      yield* change(1)
      assert.strictEqual((yield* beginExport(shown)).status, 429)
    }),
  "server.max_stream_requests_per_user": (change) =>
    Effect.gen(function* () {
      yield* plugIn()
      yield* disturb({ neverReady: true })
      const question = { target: "/hls/camera0/index.m3u8", headers: bearer(yield* tokenFor("viewer")) }
      yield* Effect.forkScoped(visit(question))
      yield* untilHeld(1)
      yield* change(1)
      assert.strictEqual((yield* visit(question)).status, 429)
    }),
  "server.max_stream_requests_per_address": (change) =>
    Effect.gen(function* () {
      yield* plugIn()
      yield* disturb({ neverReady: true })
      const { visitors } = yield* TestGround
      const headers = bearer(yield* tokenFor("viewer"))
      const watch = visitors.ask(8002, { target: "/hls/camera0/index.m3u8", headers, address: "192.0.2.1" })
      yield* Effect.forkScoped(watch)
      yield* untilHeld(1)
      yield* change(1)
      assert.strictEqual((yield* watch).status, 429)
    }),
  "server.trusted_proxies": (change) =>
    Effect.gen(function* () {
      const headers = { "x-forwarded-for": "198.51.100.7", "x-forwarded-host": "cam.example" }
      const page = { headers: { ...headers, origin: "https://cam.example" } }
      assert.strictEqual(yield* knock(page), 403)
      yield* change(["127.0.0.1"])
      assert.strictEqual(yield* knock(page), 101)
    }),
  "server.allowed_origins": (change) =>
    Effect.gen(function* () {
      const headers = { origin: "https://a.example" }
      assert.strictEqual(yield* knock({ headers }), 403)
      yield* change(["https://a.example"])
      assert.strictEqual(yield* knock({ headers }), 101)
    }),
  "server.max_unread_kilobytes": (change) =>
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const [slow, slower] = [yield* idler, yield* idler]
      yield* change(512)
      slow.ask("ping", 100)
      yield* plugIn()
      yield* settle
      slow.readOn()
      assert.include(JSON.stringify(yield* slow.next), "pong")
      assert.include(JSON.stringify(yield* slow.next), "system.notifications_lost")
      const hung = yield* disk.suffer({ name: "hung", calls: ["space"] })
      for (let n = 0; n < 3; n++) slower.ask("get_storage_info", 300)
      yield* hung.met
      yield* hung.takeBack
      yield* settle
      slower.readOn()
      assert.strictEqual(yield* asTimePasses(slower.closed), 1013)
    }),
  "server.max_subscriptions_per_client": (change) =>
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      const subscribe = (topic: string) => client.error("subscribe_events", { topics: [topic] })
      assert.isUndefined(yield* subscribe("camera.connected"))
      yield* change(1)
      assert.deepInclude(yield* subscribe("camera.disconnected"), { code: -32020 })
    }),
  "server.public_host": (change) =>
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      const device = yield* plugIn()
      const url = Effect.map(client.call("get_stream_url", { device }), (result) => JSON.stringify(result))
      assert.notInclude(yield* url, "video.example")
      yield* change("video.example")
      assert.include(yield* url, "//video.example:")
    }),
  "limits.connection_requests_per_second": (change) =>
    Effect.gen(function* () {
      const client = yield* listeningClient("viewer")
      assert.isUndefined(yield* client.error("ping", {}))
      yield* change(1)
      assert.isUndefined(yield* client.error("ping", {}))
      assert.deepInclude(yield* client.error("ping", {}), { code: -32040 })
    }),
  "limits.user_requests_per_second": (change) =>
    Effect.gen(function* () {
      const [one, two] = [yield* listeningClient("viewer"), yield* listeningClient("viewer")]
      assert.isUndefined(yield* one.error("ping", {}))
      yield* change(1)
      assert.isUndefined(yield* one.error("ping", {}))
      assert.deepInclude(yield* two.error("ping", {}), { code: -32040 })
    }),
  "limits.ffmpeg_processes": (change) =>
    Effect.gen(function* () {
      const [first, second] = [yield* plugIn(0), yield* plugIn(1)]
      const [streams, status] = [yield* Streams, yield* Status]
      yield* readyStream(first)
      yield* change(1)
      const stream = yield* streams.lease(second, "viewer")
      yield* until(
        "it waits in the queue",
        Effect.map(status.of(second), ({ reason }) => reason?.includes("number 1 in the queue"))
      )
      yield* change(2)
      yield* untilReady(stream)
    })
}
