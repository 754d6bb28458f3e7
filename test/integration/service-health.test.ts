import { assert, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmdirSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "vitest"
import { median, slowest } from "../../scripts/benchmarks/Statistics.ts"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { eventually } from "../support/Eventually.ts"
import { collector } from "../support/OtlpCollector.ts"
import { signal } from "../support/Processes.ts"
import { checkMetrics } from "../support/Promtool.ts"
import { clientOf, ready, type Service, SharedService, startReady, statusOf } from "../support/Service.ts"

const endpoints = ["/health", "/health/detailed", "/health/ready", "/health/live"]

const textOf = (url: string, accept = "text/plain") =>
  Effect.promise(() => fetch(url, { headers: { accept } }).then((response) => response.text()))

/** SIGSTOP or SIGCONT. */
const tellMediaMtx = ({ ground }: Service, name: NodeJS.Signals) =>
  Effect.sync(() => {
    for (const { pid } of ground.running("mediamtx")) signal(pid, name)
  })

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const began = yield* monotonicMillis
    const result = yield* effect
    return { result, millis: (yield* monotonicMillis) - began }
  })

layer(SharedService.layer({ cameras: 3 }), { timeout: "120 seconds", excludeTestServices: true })(
  "a service that works",
  (it) => {
    it.effect("has metrics that Prometheus's own checker has no remark on", (context) =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const { call } = yield* clientOf(service, { role: "admin" })
        yield* call.start_recording({ device: "camera0" })
        yield* call.take_snapshot({ device: "camera0" })
        yield* call.take_snapshot({ device: "camera1" })
        yield* Effect.ignore(call.stop_recording({ device: "camera1" }))
        const text = yield* textOf(`${service.health}/metrics`)
        for (const name of [
          'camera_up{camera="camera0"} 1',
          "camera_activation_seconds_count",
          'camera_snapshot_seconds_count{tier="live"}',
          "camera_snapshot_age_seconds_bucket",
          'camera_recording_active{camera="camera0"} 1',
          'camera_recording_segment_age_seconds{camera="camera0"}',
          "camera_storage_free_bytes",
          "camera_storage_up 1",
          "camera_mediamtx_up 1",
          "camera_client_connections 1",
          "nodejs_eventloop_delay_p99_seconds",
          "process_resident_memory_bytes",
          "process_anonymous_memory_bytes"
        ]) {
          assert.include(text, name)
        }
        yield* call.stop_recording({ device: "camera0" })
        const { system_metrics } = yield* call.get_metrics({})
        for (const percent of [system_metrics.disk_usage, system_metrics.memory_usage]) {
          assert.isAbove(percent, 0)
          assert.isAtMost(percent, 100)
        }
        const remarks = checkMetrics(text)
        if (remarks === undefined)
          return context.skip("there is no promtool here: ./scripts/setup --for-tests fetches it")
        assert.strictEqual(remarks, "")
      })
    )

    it.effect("notices that MediaMTX is frozen, says so to who wants a stream, and answers probes without it", () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const { call } = yield* clientOf(service, { role: "operator" })
        const status = (path: string) => statusOf(`${service.health}${path}`)
        yield* tellMediaMtx(service, "SIGSTOP")
        const frozen = eventually(
          "it is noticed",
          Effect.map(status("/health/ready"), (code) => code === 503)
        )
        const noticing = yield* Effect.forkScoped(frozen)
        const asked = yield* timed(Effect.flip(call.start_streaming({ device: "camera2" })))
        assert.deepInclude(asked.result, { _tag: "DependencyFailed", dependency: "mediamtx" })
        // a stream may take 10 s to start: that is not waited for
        assert.isBelow(asked.millis, 8000)
        yield* Fiber.join(noticing)
        assert.strictEqual(yield* status("/health"), 503)
        for (const path of endpoints) {
          const looks = yield* Effect.replicateEffect(timed(status(path)), 5)
          const took = looks.map(({ millis }) => millis)
          assert.isBelow(median(took), 100, path)
          assert.isBelow(slowest(took), 1000, path)
        }
        const detailed = yield* textOf(`${service.health}/health/detailed`)
        assert.include(detailed, "MediaMTX does not answer")
        assert.notInclude(detailed, service.ground.folder)
        yield* tellMediaMtx(service, "SIGCONT")
        yield* ready(service)
        assert.strictEqual(yield* status("/health"), 200)
      })
    )
  }
)

/** A disk of 64 MB, where mounting is allowed. */
const smallDisk = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "camera-service-disk-"))
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], { stdio: "ignore" })
      return { folder, isMounted: true }
    } catch {
      return { folder, isMounted: false }
    }
  }),
  ({ folder, isMounted }) =>
    Effect.sync(() => {
      if (isMounted) execFileSync("umount", ["-l", folder])
      rmdirSync(folder)
    })
)

it.live(
  "a service whose disk fills up is DEGRADED and says why, and is well again when there is room",
  (context: TestContext) =>
    Effect.gen(function* () {
      const { folder, isMounted } = yield* smallDisk
      if (!isMounted) return context.skip("file systems cannot be mounted here")
      const service = yield* startReady({ cameras: 1, folder, settings: { STORAGE_RESERVE_MB: "20" } })
      const status = Effect.map(textOf(`${service.health}/health`), (text) => JSON.parse(text).status as string)
      const untilIs = (wanted: string) =>
        eventually(
          wanted,
          Effect.map(status, (now) => now === wanted)
        )
      yield* untilIs("HEALTHY")
      const ballast = join(folder, "ballast")
      writeFileSync(ballast, Buffer.alloc(48 << 20))
      yield* untilIs("DEGRADED")
      const detailed = yield* textOf(`${service.health}/health/detailed`)
      assert.include(detailed, "the disk is full up to its reserve")
      assert.notInclude(detailed, folder)
      truncateSync(ballast)
      yield* untilIs("HEALTHY")
    })
)

it.live("metrics go where traces go, by OpenTelemetry's names", () =>
  Effect.gen(function* () {
    const { endpoint, metrics } = yield* collector
    const service = yield* startReady({ cameras: 1, settings: { TELEMETRY_OTLP_ENDPOINT: endpoint } })
    const { call } = yield* clientOf(service, { role: "operator" })
    yield* call.ping({})
    yield* call.take_snapshot({ device: "camera0" })
    yield* service.kill("SIGTERM")
    assert.strictEqual((yield* service.ended).code, 0)
    const calls = metrics().findLast(({ name }) => name === "rpc.server.call.duration")
    assert.strictEqual(calls?.unit, "s")
    const points = calls?.histogram?.dataPoints ?? []
    const methods = points.flatMap(({ attributes }) =>
      attributes.flatMap(({ key, value }) => (key === "rpc.method" ? [value["stringValue"]] : []))
    )
    assert.includeMembers(methods, ["ping", "take_snapshot", "authenticate"])
    for (const name of ["camera.up", "camera.snapshot", "camera.mediamtx.reconciliations"]) {
      assert.isDefined(
        metrics().find((metric) => metric.name === name),
        name
      )
    }
  })
)
