import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { RunningChecks } from "../../src/doctor/RunningChecks.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { Network } from "../../src/ground/Network.ts"
import { Health, type SystemHealth, type Verdict } from "../../src/health/Health.ts"
import type { Part } from "../../src/health/Parts.ts"
import { ProgramMemory } from "../../src/health/ProgramMemory.ts"
import * as HealthPort from "../../src/http/HealthPort.ts"
import { json, LocalHttp } from "../../src/http/LocalHttp.ts"
import { settingsWith } from "../storage/Workbench.ts"
import { hour, onSettableClock } from "../support/WallClock.ts"
import { ask } from "./Client.ts"

let ready: Verdict = { ok: true, reasons: [] }
let live: Verdict = { ok: true, reasons: [] }

const components = { camera_monitor: "RUNNING", mediamtx: "STARTING", websocket_server: "RUNNING" } as const
let status: SystemHealth["status"] = "DEGRADED"
const since = { wall: 0, monotonic: 0 }
const parts: ReadonlyArray<Part> = [
  { part: "mediamtx", state: "STARTING", since },
  {
    part: "camera",
    device: "camera0",
    state: "RUNNING",
    since: { wall: 2000, monotonic: 2000 },
    lastError: { detail: "FROZEN: no frame for 2 s", at: { wall: 1000, monotonic: 1000 } }
  }
]
const health = Layer.mock(Health, {
  live: Effect.sync(() => live),
  now: () => ({ status, components, ready, reasons: ready.reasons, parts }),
  components: () => components,
  startedAt: since,
  facts: { follow: () => Effect.void, followFirst: () => Effect.void, tellIn: () => Effect.void }
})
const checks = Layer.mock(RunningChecks, {
  latest: Effect.succeed({
    at: since,
    results: [
      {
        name: "disk",
        severity: "warning" as const,
        evidence: "/var/lib/camera-service: 1 GB left; /dev/video0 (Desk)",
        mend: "delete files",
        milliseconds: 1
      }
    ]
  })
})
const programs = Layer.mock(ProgramMemory, {
  mediaMtx: () => 40,
  ofStream: () => 70,
  byStream: () => [["camera0", 70]],
  others: () => 5
})
const at = (port: number) =>
  LocalHttp.layer.pipe(
    Layer.provide(Network.layer),
    Layer.provide(settingsWith({ health: { host: "127.0.0.1", port } }))
  )
const running = HealthPort.layer.pipe(
  Layer.provideMerge(at(0)),
  Layer.provide([health, checks, programs, Machine.layer])
)

layer(running)("the health port", (it) => {
  const get = (path: string, options = {}) =>
    Effect.flatMap(LocalHttp, ({ address }) => ask(address.port, path, options))

  it.effect("tells the state as JSON that nobody may keep", () =>
    Effect.gen(function* () {
      const answer = yield* get("/health?probe=1")
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers["cache-control"], "no-store")
      assert.strictEqual(answer.headers["content-type"], "application/json")
      const found = JSON.parse(answer.body)
      assert.deepInclude(found, { status: "DEGRADED", uptime: 0 })
      assert.isString(found.version)
      const detailed = JSON.parse((yield* get("/health/detailed")).body)
      assert.deepStrictEqual(detailed.components, components)
      assert.isAbove(detailed.memory.rss_bytes, 1_000_000)
      assert.isAbove(detailed.memory.anonymous_bytes, 1_000_000)
      const { ffmpeg_rss_bytes, mediamtx_rss_bytes } = detailed.memory
      assert.deepStrictEqual([mediamtx_rss_bytes, ffmpeg_rss_bytes], [40, { camera0: 70, other: 5 }])
    })
  )

  it.effect("tells what was seen of the machine last, and where nothing of its files is", () =>
    Effect.gen(function* () {
      const detailed = JSON.parse((yield* get("/health/detailed")).body)
      assert.deepStrictEqual(detailed.checks, [
        {
          name: "disk",
          severity: "warning",
          evidence: "the data folder: 1 GB left; a device (Desk)",
          mend: "delete files"
        }
      ])
      assert.strictEqual(detailed.checked_at, "1970-01-01T00:00:00.000Z")
    })
  )

  it.effect("tells of each part what it is, since when, and what was wrong last", () =>
    Effect.gen(function* () {
      const detailed = JSON.parse((yield* get("/health/detailed")).body)
      assert.deepStrictEqual(detailed.parts, [
        { part: "mediamtx", state: "STARTING", since: "1970-01-01T00:00:00.000Z" },
        {
          part: "camera",
          device: "camera0",
          state: "RUNNING",
          since: "1970-01-01T00:00:02.000Z",
          last_error: { detail: "FROZEN: no frame for 2 s", at: "1970-01-01T00:00:01.000Z" }
        }
      ])
    })
  )

  it.effect("answers 503 where the service is UNHEALTHY, and goes on telling why", () =>
    Effect.gen(function* () {
      status = "UNHEALTHY"
      const answer = yield* get("/health")
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(JSON.parse(answer.body).status, "UNHEALTHY")
      assert.strictEqual((yield* get("/health/detailed")).status, 200)
      status = "DEGRADED"
      assert.strictEqual((yield* get("/health")).status, 200)
    })
  )

  it.effect("counts how long it has run by no clock that is set", () =>
    onSettableClock((set) =>
      Effect.gen(function* () {
        const { address } = Context.get(yield* Layer.build(Layer.fresh(running)), LocalHttp)
        set(-hour)
        const found = JSON.parse((yield* ask(address.port, "/health")).body)
        assert.deepInclude(found, { uptime: 0, timestamp: "1969-12-31T23:00:00.000Z" })
      })
    )
  )

  it.effect("tells how long it has run to the millisecond, as calls do", () =>
    Effect.gen(function* () {
      const { uptime } = JSON.parse((yield* get("/health")).body) as { readonly uptime: number }
      yield* TestClock.adjust(Duration.micros(1_234_567n))
      assert.closeTo(JSON.parse((yield* get("/health")).body).uptime, uptime + 1.235, 1e-9)
    })
  )

  it.effect("answers 503 with the reasons while the service is not ready, or not alive", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/health/ready")).status, 200)
      ready = { ok: false, reasons: ["MediaMTX is starting"] }
      const answer = yield* get("/health/ready")
      assert.strictEqual(answer.status, 503)
      assert.deepStrictEqual(JSON.parse(answer.body), { status: "not_ready", reasons: ["MediaMTX is starting"] })
      assert.strictEqual((yield* get("/health/live")).status, 200)
      live = { ok: false, reasons: ["stuck"] }
      assert.strictEqual((yield* get("/health/live")).status, 503)
      live = { ok: true, reasons: [] }
    })
  )

  it.effect("answers HEAD without a body, other methods with 405, other paths with 404", () =>
    Effect.gen(function* () {
      const head = yield* get("/health/live", { method: "HEAD" })
      assert.strictEqual(head.status, 200)
      assert.strictEqual(head.body, "")
      assert.isAbove(Number(head.headers["content-length"]), 0)
      const post = yield* get("/health", { method: "POST", body: "x" })
      assert.strictEqual(post.status, 405)
      assert.strictEqual(post.headers.allow, "GET, HEAD")
      for (const path of ["/", "/health/", "/health/../health/x", "/healthy", "//"]) {
        assert.strictEqual((yield* get(path)).status, 404, path)
      }
    })
  )

  it.effect("takes more routes as long as their scope lives, and no word of a web page", () =>
    Effect.gen(function* () {
      const local = yield* LocalHttp
      yield* Effect.gen(function* () {
        yield* local.route("POST", "/echo", ({ body }) => Effect.succeed(json(200, [body])))
        const answer = yield* get("/echo?a=1", { method: "POST", body: "hello" })
        assert.strictEqual(answer.body, '["hello"]\n')
        const headers = { origin: "https://elsewhere.example", "content-type": "text/plain" }
        assert.strictEqual((yield* get("/echo", { method: "POST", body: "hello", headers })).status, 403)
        const large = yield* get("/echo", { method: "POST", body: "x".repeat(65_537) })
        assert.strictEqual(large.status, 413)
      }).pipe(Effect.scoped)
      assert.strictEqual((yield* get("/echo", { method: "POST" })).status, 404)
    })
  )

  it.effect("hides what broke", () =>
    Effect.gen(function* () {
      const local = yield* LocalHttp
      yield* local.route("GET", "/broken", () => Effect.die(new Error("the secret inside")))
      const answer = yield* get("/broken")
      assert.strictEqual(answer.status, 500)
      assert.notInclude(answer.body, "secret")
    })
  )

  it.effect("in use by another is told by its number", () =>
    Effect.gen(function* () {
      const { address } = yield* LocalHttp
      const error = yield* Effect.flip(Layer.build(Layer.fresh(at(address.port))))
      assert.deepInclude(error, { _tag: "PortInUse", host: "127.0.0.1", port: address.port })
    })
  )
})
