import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { Role, Session } from "../../schema/Auth.ts"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { MediaMtxSessions } from "../../src/auth/MediaMtxSessions.ts"
import type { Peer } from "../../src/ground/Visits.ts"
import { JsonRpcProtocol } from "../../src/rpc/Protocol.ts"
import * as Metrics from "../../src/telemetry/Metrics.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Question } from "../../testing/Visitors.ts"
import { connectAs, layer, tokenFor } from "../rpc/Harness.ts"
import { readyStream } from "../suites/streams.ts"
import {
  dataFolder,
  disturb,
  disturbWork,
  type FakeApp,
  onFakes,
  onTestGround,
  plugIn,
  runFake
} from "../support/App.ts"
import { listening } from "../support/Log.ts"
import { quietPeer } from "../support/QuietPeer.ts"
import { beginDownload, beginExport, longRecording } from "../support/LongRecording.ts"
import { bearer, untilHeld } from "../support/StreamVisitor.ts"
import type { Overrides } from "../support/TestSettings.ts"
import { tokenCredential } from "../support/TokenCredential.ts"

interface Reply {
  readonly error?: { readonly code: number }
}

/** The metrics as they are scraped. */
const scraped = Effect.gen(function* () {
  const { visitors } = yield* TestGround
  const { body } = yield* visitors.ask(8003, { target: "/metrics" })
  return yield* Stream.mkString(Stream.decodeText(body))
}).pipe(Effect.scoped)

/** The HTTP status that a WebSocket is refused with; 101: it is not. */
const knock = (question: Partial<Question> = {}) =>
  Effect.flatMap(TestGround, ({ visitors }) =>
    Effect.match(visitors.connect(8002, { target: "/ws", ...question }), {
      onSuccess: () => 101,
      onFailure: (refused) => ("status" in refused ? refused.status : 0)
    })
  )

/** The code of the error that the last of these calls of a client is answered with. */
const codeOf = Effect.fnUntraced(function* (
  client: Effect.Success<ReturnType<typeof connectAs>>,
  method: string,
  params: object = {}
) {
  client.send({ jsonrpc: "2.0", id: "asked", method, params })
  const reply = Effect.map(client.next, (message) => message as Reply & { readonly id?: unknown })
  const { error } = yield* asTimePasses(Effect.repeat(reply, { until: ({ id }) => id === "asked" }))
  return error?.code
})

const calls = (times: number) =>
  Effect.gen(function* () {
    const client = yield* connectAs("viewer")
    for (let n = 1; n < times; n++) yield* codeOf(client, "ping")
    return yield* codeOf(client, "ping")
  })

const fullDisk = Effect.gen(function* () {
  const { disk } = yield* TestGround
  disk.outside.write("/ballast", new Uint8Array(60 << 20))
  yield* disk.suffer({ name: "small", bytes: 1000 << 20 })
  yield* plugIn()
  return yield* codeOf(yield* connectAs("operator"), "start_recording", { device: "camera0" })
})

/** So many keys are made, all at once. */
const keys = (count: number, kind: "api" | "viewing", createdBy: string) =>
  Effect.gen(function* () {
    const { create } = yield* ApiKeys
    const grant = { kind, role: "viewer", createdBy, expiresAt: 60_000 } as const
    yield* Effect.all(
      Array.from({ length: count }, () => create(grant)),
      { concurrency: "unbounded" }
    )
  })

const ann: Session = {
  sessionId: "s",
  userId: "ann",
  role: "viewer",
  expiresAt: Infinity,
  credential: tokenCredential
}

interface Row {
  readonly settings?: Overrides
  /** meets the limit; what it is answered with: a code of JSON-RPC, of HTTP, or of the end of a WebSocket */
  readonly meet: Effect.Effect<number | undefined, unknown, FakeApp | Scope.Scope>
  readonly answer: number
  /** what the log tells of who met it */
  readonly who: Readonly<Record<string, unknown>>
}

const elsewhere = "192.0.2.1"
/** What most who are too many are told. */
const crowded = { answer: 429, who: { peer: elsewhere, at_most: 1 } }

/** A stream that does not come is asked for by each of these: what the second is answered. */
const watchTwice = Effect.fnUntraced(function* (...[first, second]: readonly [Role, Role]) {
  yield* plugIn()
  yield* disturb({ neverReady: true })
  const { visitors } = yield* TestGround
  const watch = (token: string) =>
    visitors.ask(8002, { target: "/hls/camera0/index.m3u8", headers: bearer(token), address: elsewhere })
  yield* Effect.forkScoped(watch(yield* tokenFor(first)))
  yield* untilHeld(1)
  return (yield* watch(yield* tokenFor(second))).status
})

const rows: { readonly [Limit in Exclude<Metrics.Limit, "unread of all clients">]: Row } = {
  "server.max_connections": {
    settings: { server: { max_connections: 1 } },
    meet: Effect.andThen(connectAs("viewer"), knock()),
    answer: 503,
    who: { peer: "127.0.0.1", at_most: 1 }
  },
  "server.max_connections_per_address": {
    settings: { server: { max_connections_per_address: 1 } },
    meet: Effect.andThen(connectAs("viewer", undefined, { address: elsewhere }), knock({ address: elsewhere })),
    ...crowded
  },
  "server.max_unauthenticated_per_address": {
    settings: { server: { max_unauthenticated_per_address: 1 } },
    meet: Effect.andThen(knock({ address: elsewhere }), knock({ address: elsewhere })),
    ...crowded
  },
  "server.max_downloads_per_user": {
    settings: { server: { max_downloads_per_user: 1 } },
    meet: Effect.gen(function* () {
      yield* longRecording
      const token = yield* tokenFor("viewer")
      yield* beginDownload(token)
      return (yield* beginDownload(token)).status
    }),
    ...crowded
  },
  "server.max_downloads_per_address": {
    settings: { server: { max_downloads_per_address: 1 } },
    meet: Effect.gen(function* () {
      yield* longRecording
      yield* beginDownload(yield* tokenFor("viewer"))
      return (yield* beginDownload(yield* tokenFor("admin"))).status
    }),
    ...crowded
  },
  "server.max_exports_per_user": {
    settings: { server: { max_exports_per_user: 1 } },
    meet: Effect.gen(function* () {
      yield* longRecording
      yield* disturbWork({ export: "hangs" })
      const shown = bearer(yield* tokenFor("viewer"))
      yield* beginExport(shown)
      return (yield* beginExport(shown)).status
    }),
    ...crowded
  },
  "server.max_stream_requests_per_user": {
    settings: { server: { max_stream_requests_per_user: 1 } },
    meet: watchTwice("viewer", "viewer"),
    ...crowded
  },
  "server.max_stream_requests_per_address": {
    settings: { server: { max_stream_requests_per_address: 1 } },
    meet: watchTwice("viewer", "admin"),
    ...crowded
  },
  "least rate": {
    meet: Effect.gen(function* () {
      yield* longRecording
      yield* disturbWork({ export: "pours" })
      const { status } = yield* beginExport(bearer(yield* tokenFor("viewer")))
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("35 seconds")
      yield* settle
      return status
    }),
    // it began
    answer: 200,
    who: { peer: elsewhere }
  },
  "server.max_unread_kilobytes": {
    settings: { server: { max_unread_kilobytes: 512 } },
    meet: Effect.gen(function* () {
      const { disk } = yield* TestGround
      const client = yield* connectAs("admin", undefined, { address: elsewhere })
      client.stopReading()
      const hung = yield* disk.suffer({ name: "hung", calls: ["space"] })
      for (let n = 0; n < 3; n++) {
        client.send({ jsonrpc: "2.0", id: "x".repeat(300 << 10), method: "get_storage_info" })
      }
      yield* hung.met
      yield* hung.takeBack
      yield* settle
      client.readOn()
      return yield* asTimePasses(client.closed)
    }),
    answer: 1013,
    who: { peer: elsewhere, user: "admin" }
  },
  "server.max_subscriptions_per_client": {
    settings: { server: { max_subscriptions_per_client: 1 } },
    meet: Effect.gen(function* () {
      const client = yield* connectAs("viewer", undefined, { address: elsewhere })
      return yield* codeOf(client, "subscribe_events", { topics: ["camera.connected", "camera.disconnected"] })
    }),
    answer: -32020,
    who: { peer: elsewhere, user: "viewer", at_most: 1 }
  },
  "limits.connection_requests_per_second": {
    settings: { limits: { connection_requests_per_second: 2 } },
    meet: calls(2),
    answer: -32040,
    who: { peer: "127.0.0.1", user: "viewer", at_most: 2 }
  },
  "limits.user_requests_per_second": {
    settings: { limits: { user_requests_per_second: 2 } },
    meet: calls(3),
    answer: -32040,
    who: { peer: "127.0.0.1", user: "viewer", at_most: 2 }
  },
  "limits.ffmpeg_processes": {
    settings: { limits: { ffmpeg_processes: 1 } },
    meet: Effect.gen(function* () {
      const [first, second] = [yield* plugIn(0), yield* plugIn(1)]
      yield* readyStream(first)
      return yield* codeOf(yield* connectAs("operator"), "start_streaming", { device: second })
    }),
    answer: -32040,
    who: { camera: "camera1", at_most: 1 }
  },
  "storage.refuse_percent": {
    settings: { storage: { refuse_percent: 5 } },
    meet: fullDisk,
    answer: -32050,
    who: { detail: "6.01 % of the disk is used: from 5 % on no recording begins" }
  },
  "storage.reserve_mb": {
    settings: { storage: { reserve_mb: 5000 } },
    meet: fullDisk,
    answer: -32050,
    who: { detail: "only the reserve of 5000 MB is left on the disk: a recording goes on when 10000 MB are free" }
  },
  "api keys": {
    meet: Effect.gen(function* () {
      yield* keys(1000, "api", "ann")
      return yield* codeOf(yield* connectAs("admin"), "create_api_key", { role: "viewer" })
    }),
    answer: -32020,
    who: { user: "admin", message: "a key is refused: 1000 API keys are in force" }
  },
  "viewing keys": {
    meet: Effect.gen(function* () {
      yield* plugIn()
      yield* keys(100, "viewing", "viewer")
      return yield* codeOf(yield* connectAs("viewer"), "create_viewing_key", { device: "camera0" })
    }),
    answer: -32020,
    who: { user: "viewer", message: "a key is refused: 100 viewing keys are in force" }
  },
  readers: {
    meet: Effect.gen(function* () {
      const { opened } = yield* MediaMtxSessions
      let count = 0
      while (yield* opened("rtsp", `session ${count}`, ann)) count++
      return count
    }),
    // one user has half of all
    answer: 5000,
    who: { user: "ann", readers: 5000, at_most: 10_000 }
  },
  "time to authenticate": {
    meet: Effect.gen(function* () {
      const { visitors } = yield* TestGround
      const stranger = yield* visitors.connect(8002, { target: "/ws", address: elsewhere })
      yield* TestClock.adjust("30 seconds")
      return (yield* asTimePasses(stranger.closed)).code
    }),
    answer: 1008,
    who: { peer: elsewhere, after_seconds: 30 }
  }
}

describe("a limit", () => {
  for (const [limit, { answer, meet, settings = {}, who }] of Object.entries(rows)) {
    it.effect(`(${limit}) is told to who meets it, counted by its name, and in the log once with who it was`, () => {
      const { layer: logs, lines } = listening()
      const body = Effect.gen(function* () {
        assert.strictEqual(yield* meet, answer)
        const counted = [...(yield* scraped).matchAll(/^camera_limit_refusals_total\{limit="(.*)"\} (\d+)$/gm)]
        assert.deepStrictEqual(
          counted.map(([, name, times]) => [name, times]),
          [[limit, "1"]]
        )
        const told = lines.filter((line) => line["setting"] === limit || line["limit"] === limit)
        assert.lengthOf(told, 1, JSON.stringify(lines))
        assert.deepInclude(told[0], { ...who, [limit.includes(".") ? "setting" : "limit"]: limit })
      })
      return onTestGround(runFake(dataFolder, body, settings)).pipe(Effect.provide(logs))
    })
  }

  it.effect("(unread of all clients) is no limit of one client, and told apart from that", () => {
    const { layer: logs, lines } = listening()
    /** A client that reads nothing of what it is sent. */
    const deaf = (cut: (code: number) => void, unread: number): Peer => ({ ...quietPeer, buffered: () => unread, cut })
    return Effect.gen(function* () {
      const { connect } = yield* JsonRpcProtocol
      const arrival = { address: elsewhere, cameBy: undefined, isSecure: false, login: undefined }
      const ended: Array<readonly [name: string, code: number]> = []
      for (const [name, megabytes] of [
        ["much", 60],
        ["more", 69]
      ] as const) {
        const cut = (code: number): void => {
          ended.push([name, code])
          client.close()
        }
        const client = connect(deaf(cut, megabytes << 20), arrival)
        client.receive('{"jsonrpc":"2.0","id":1,"method":"ping"}')
      }
      yield* settle
      assert.deepStrictEqual(ended, [["more", 1013]])
      const count = (limit: Metrics.Limit) =>
        Effect.map(Metric.value(Metrics.limitRefusals(limit)), ({ count }) => count)
      assert.strictEqual(yield* count("unread of all clients"), 1)
      assert.strictEqual(yield* count("server.max_unread_kilobytes"), 0)
      assert.lengthOf(lines, 1)
      assert.deepInclude(lines[0], { limit: "unread of all clients", peer: elsewhere, unread_bytes: 69 << 20 })
    }).pipe(Effect.provide(layer({}, { max_unread_kilobytes: 65_536 }).pipe(Layer.provideMerge([Metrics.layer, logs]))))
  })
})

describe("with the default settings", () => {
  onFakes(
    "16 tiles and an SDK in a loop meet no limit",
    Effect.gen(function* () {
      yield* longRecording
      const cameras: Array<string> = []
      for (let n = 0; n < 16; n++) cameras.push(yield* plugIn(n))
      // the console: all topics, and in each tile a stream, a picture, a list, a viewing key and a download
      const question = { address: elsewhere }
      const console_ = yield* connectAs("operator", undefined, question)
      const topics = ["camera.*", "recording.*", "snapshot.*", "system.*"]
      const token = yield* tokenFor("operator")
      for (const device of cameras) {
        const asked = [
          ["subscribe_events", { topics, filters: { device } }],
          ["get_camera_status", { device }],
          ["create_viewing_key", { device }],
          ["start_streaming", { device }],
          ["take_snapshot", { device }],
          ["list_recordings", { device }]
        ] as const
        for (const [method, params] of asked) assert.isUndefined(yield* codeOf(console_, method, params), method)
        assert.strictEqual((yield* beginDownload(token)).status, 200)
      }
      // the SDK, of the same user and from the same place: it asks as soon as it is answered, and connects anew each time
      for (let n = 0; n < 200; n++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const client = yield* connectAs("operator", undefined, question)
            for (let call = 0; call < 20; call++) {
              const reply = (yield* client.call({ jsonrpc: "2.0", id: 1, method: "ping" })) as Reply
              assert.isUndefined(reply.error)
            }
          })
        )
      }
      assert.notInclude(yield* scraped, "camera_limit_refusals_total{")
    })
  )
})
