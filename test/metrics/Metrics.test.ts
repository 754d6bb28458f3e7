import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { faultOf } from "../../src/device/Fault.ts"
import { Devices } from "../../src/device/Devices.ts"
import { LocalHttp } from "../../src/http/LocalHttp.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { Visitors } from "../../testing/Visitors.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connect, connectAs } from "../rpc/Harness.ts"
import { asTimePasses, record, start, stop } from "../suites/recordings.ts"
import { take } from "../suites/snapshots.ts"
import { readyStream, untilReady } from "../suites/streams.ts"
import { bringMediaMtx, onFakes, plugIn, plugInUsb, publishing, takeMediaMtx } from "../support/App.ts"
import { until } from "../support/Ground.ts"

/** What a scraper gets. */
const scrape = (accept = "text/plain") =>
  Effect.gen(function* () {
    const { address } = yield* LocalHttp
    const { ask } = yield* Visitors
    const answer = yield* ask(address.port, { target: "/metrics", headers: { accept } })
    assert.strictEqual(answer.status, 200)
    return { headers: answer.headers, text: yield* Stream.mkString(Stream.decodeText(answer.body)) }
  }).pipe(Effect.scoped)

/** The value of a series, as it stands in the text. */
const value = (series: string) =>
  Effect.map(scrape(), ({ text }) => {
    const line = text.split("\n").find((one) => one.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  })

const untilIs = (series: string, wanted: number | undefined) =>
  until(
    `${series} ${wanted}`,
    Effect.map(value(series), (now) => now === wanted)
  )

describe("metrics", () => {
  onFakes(
    "come as the scraper would have them, from no cache",
    Effect.gen(function* () {
      const plain = yield* scrape()
      assert.strictEqual(plain.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
      assert.strictEqual(plain.headers["cache-control"], "no-store")
      const open = yield* scrape("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
      assert.strictEqual(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8")
      assert.isTrue(open.text.endsWith("# EOF\n"))
    })
  )

  onFakes(
    "tell of each camera whether it works and what is wrong, and forget it with the camera",
    Effect.gen(function* () {
      const devices = yield* Devices
      const plugged = yield* Scope.make()
      const camera = yield* Scope.provide(plugIn(), plugged)
      yield* untilIs('camera_up{camera="camera0"}', 1)
      yield* devices.fault(camera, faultOf("FROZEN", "no frame for 2 s"))
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs"))
      yield* untilIs('camera_fault{camera="camera0",fault="BUSY"}', 1)
      assert.strictEqual(yield* value('camera_up{camera="camera0"}'), 0)
      assert.isUndefined(yield* value('camera_fault{camera="camera0",fault="FROZEN"}'))
      yield* devices.recovered(camera)
      yield* untilIs('camera_fault{camera="camera0",fault="BUSY"}', undefined)
      yield* Scope.close(plugged, Exit.void)
      yield* untilIs('camera_up{camera="camera0"}', 0)
      yield* devices.forget(camera, "free")
      yield* untilIs('camera_up{camera="camera0"}', undefined)
      assert.notInclude((yield* scrape()).text, "camera0")
    })
  )

  onFakes(
    "count what each limit refuses, by the limit alone",
    Effect.gen(function* () {
      const { visitors } = yield* TestGround
      const refusals = (limit: string) => value(`camera_limit_refusals_total{limit="${limit}"}`)
      const client = yield* connectAs("admin", undefined, { address: "192.0.2.1" })
      const call = (method: string, params: object = {}) => client.call({ jsonrpc: "2.0", id: 1, method, params })
      yield* call("subscribe_events", { topics: ["camera.connected", "camera.disconnected"] })
      const another = visitors.connect(8002, { target: "/ws", address: "192.0.2.1" })
      assert.strictEqual((yield* Effect.flip(another))._tag, "Refused")
      for (let n = 0; n < 4; n++) yield* call("ping")
      assert.strictEqual(yield* refusals("server.max_subscriptions_per_client"), 1)
      assert.strictEqual(yield* refusals("server.max_connections_per_address"), 1)
      assert.strictEqual(yield* refusals("limits.user_requests_per_second"), 1)
      assert.isUndefined(yield* refusals("server.max_connections"))
      assert.notInclude((yield* scrape()).text, "192.0.2")
    }),
    {
      server: { max_subscriptions_per_client: 1, max_connections_per_address: 1 },
      limits: { user_requests_per_second: 4 }
    }
  )

  onFakes(
    "time how fast a camera that is plugged in is known, and none that was there already",
    Effect.gen(function* () {
      const synthetic = yield* plugIn()
      yield* untilIs(`camera_up{camera="${synthetic}"}`, 1)
      assert.isUndefined(yield* value("camera_hotplug_seconds_count"))
      yield* plugInUsb()
      yield* untilIs("camera_hotplug_seconds_count", 1)
      assert.strictEqual(yield* value('camera_hotplug_seconds_bucket{le="0.2"}'), 1)
    })
  )

  onFakes(
    "time streams and snapshots, and count the ends of FFmpeg by their reason",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const snapshot = yield* take({ camera })
      yield* untilIs('camera_snapshot_seconds_count{tier="activated"}', 1)
      assert.strictEqual(yield* value('camera_snapshot_seconds_sum{tier="activated"}'), snapshot.captureMs / 1000)
      assert.strictEqual(yield* value('camera_snapshot_age_seconds_sum{tier="activated"}'), snapshot.ageMs / 1000)
      const stream = yield* readyStream(camera)
      yield* untilIs("camera_activation_seconds_count", 1)
      assert.strictEqual(yield* value('camera_streams{state="ready"}'), 1)
      const [ffmpeg] = yield* publishing
      yield* ffmpeg?.end({ code: 1 }) ?? Effect.void
      yield* untilIs('camera_ffmpeg_restarts_total{reason="EXITED"}', 1)
      yield* untilReady(stream)
      // it was not needed anew
      assert.strictEqual(yield* value("camera_activation_seconds_count"), 1)
    })
  )

  onFakes(
    "tell of each recording whether it is written, and how old its last file is",
    Effect.gen(function* () {
      const { ffmpeg } = yield* TestGround
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      yield* untilIs('camera_recording_active{camera="camera0"}', 1)
      const age = (yield* value('camera_recording_segment_age_seconds{camera="camera0"}')) ?? NaN
      yield* TestClock.adjust("10 seconds")
      const later = (yield* value('camera_recording_segment_age_seconds{camera="camera0"}')) ?? NaN
      assert.closeTo(later - age, 10, 1e-6)
      yield* ffmpeg.disturb("camera0", { frozen: true })
      yield* untilIs('camera_recording_active{camera="camera0"}', 0)
      yield* stop(camera)
      yield* untilIs('camera_recording_active{camera="camera0"}', undefined)
      assert.isUndefined(yield* value('camera_recording_segment_age_seconds{camera="camera0"}'))
    })
  )

  onFakes(
    "tell what MediaMTX occupies, and each FFmpeg by its stream, as long as there is one",
    Effect.gen(function* () {
      const one = 20 << 20
      const streams = yield* Streams
      const camera = yield* plugIn()
      assert.strictEqual(yield* value("camera_mediamtx_resident_memory_bytes"), one)
      const series = `camera_ffmpeg_resident_memory_bytes{stream="${camera}"}`
      assert.isUndefined(yield* value(series))
      yield* Effect.scoped(readyStream(camera))
      yield* untilIs(series, one)
      yield* untilIs('camera_ffmpeg_resident_memory_bytes{stream="other"}', 0)
      yield* streams.release(camera)
      yield* untilIs(series, undefined)
    })
  )

  onFakes(
    "tell of the disk, and of MediaMTX",
    Effect.gen(function* () {
      yield* untilIs("camera_mediamtx_up", 1)
      assert.strictEqual(yield* value("camera_mediamtx_runs_total"), 1)
      assert.strictEqual(yield* value("camera_storage_size_bytes"), 1e15)
      assert.isAbove((yield* value("camera_storage_free_bytes")) ?? 0, 9e14)
      const done = (yield* value('camera_mediamtx_reconciliations_total{outcome="done"}')) ?? 0
      yield* takeMediaMtx
      yield* untilIs("camera_mediamtx_up", 0)
      yield* bringMediaMtx
      yield* untilIs("camera_mediamtx_up", 1)
      assert.strictEqual(yield* value("camera_mediamtx_runs_total"), 2)
      yield* TestClock.adjust("1 second")
      assert.isAbove((yield* value('camera_mediamtx_reconciliations_total{outcome="done"}')) ?? 0, done)
    })
  )

  onFakes(
    "time calls by method and code, and make no label of what a client makes up",
    Effect.gen(function* () {
      const series = (method: string, code?: number) =>
        `rpc_server_call_duration_seconds_count{rpc_system_name="jsonrpc",rpc_method="${method}"${
          code === undefined ? "" : `,rpc_response_status_code="${code}"`
        }}`
      const stranger = yield* connect()
      for (let id = 0; id < 3; id++) yield* stranger.call({ jsonrpc: "2.0", id, method: "ping" })
      yield* stranger.call({ jsonrpc: "2.0", id: 3, method: "get_camera_list" })
      yield* stranger.call({ jsonrpc: "2.0", id: 4, method: "pnig" })
      yield* stranger.call([{ jsonrpc: "2.0", id: 5, method: "ping" }, { jsonrpc: "1.0" }])
      yield* stranger.call("{")
      assert.strictEqual(yield* value(series("ping")), 4)
      assert.strictEqual(yield* value(series("get_camera_list", -32001)), 1)
      assert.strictEqual(yield* value(series("_OTHER", -32601)), 1)
      assert.strictEqual(yield* value(series("_OTHER", -32600)), 1)
      assert.strictEqual(yield* value(series("_OTHER", -32700)), 1)
      assert.notInclude((yield* scrape()).text, "pnig")
      assert.strictEqual(yield* value("camera_client_connections"), 1)
    })
  )
})

describe("an admin", () => {
  const call = (method: string, role: "admin" | "operator" = "admin") =>
    Effect.flatMap(connectAs(role), (client) =>
      Effect.map(
        asTimePasses(client.call({ jsonrpc: "2.0", id: 1, method })),
        (reply) => reply as { readonly result: Record<string, unknown>; readonly error?: { readonly code: number } }
      )
    ).pipe(Effect.scoped)

  onFakes(
    "gets the numbers by get_metrics, nested and flat",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* plugIn(1)
      yield* readyStream(camera)
      yield* record(yield* start({ camera }))
      const { result } = yield* call("get_metrics")
      const { camera_metrics, recording_metrics, stream_metrics, system_metrics, timestamp, ...flat } = result
      assert.deepStrictEqual(flat, system_metrics)
      assert.hasAllKeys(flat, ["cpu_usage", "memory_usage", "disk_usage", "goroutines"])
      assert.isAbove(Number(flat["goroutines"]), 20)
      for (const name of ["cpu_usage", "memory_usage", "disk_usage"]) assert.isTrue(Number(flat[name]) <= 100, name)
      assert.deepInclude(camera_metrics, { connected_cameras: 2 })
      const { cameras } = camera_metrics as { readonly cameras: Record<string, unknown> }
      assert.deepInclude(cameras["camera0"], { status: "CONNECTED", stream: "ACTIVE", viewers: 0, restarts: 0 })
      assert.deepInclude(cameras["camera1"], { status: "CONNECTED", stream: "INACTIVE" })
      assert.deepInclude(recording_metrics, { active_recordings: 1 })
      assert.deepStrictEqual(stream_metrics, { active_streams: 1, total_streams: 2, total_viewers: 0 })
      assert.isString(timestamp)
    })
  )

  onFakes(
    "gets the same use of the disk by get_metrics and get_storage_info",
    Effect.gen(function* () {
      const { suffer } = yield* MemoryDisk
      const { result: before } = yield* call("get_storage_info")
      yield* suffer({ name: "small", bytes: 3 * Number(before["used_space"]) })
      const { result: storage } = yield* call("get_storage_info")
      const { result: metrics } = yield* call("get_metrics")
      assert.strictEqual(storage["usage_percentage"], 33.34)
      assert.strictEqual(metrics["disk_usage"], 33.34)
    })
  )

  onFakes(
    "gets them too while MediaMTX answers nobody: only who views is not known then",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      yield* readyStream(yield* plugIn())
      yield* mediaMtx.disturb({ hangs: true })
      const { camera_metrics, stream_metrics } = (yield* call("get_metrics")).result
      assert.deepStrictEqual(stream_metrics, { active_streams: 1, total_streams: 1 })
      const { cameras } = camera_metrics as { readonly cameras: Record<string, unknown> }
      assert.notProperty(cameras["camera0"], "viewers")
      yield* mediaMtx.disturb({ hangs: false })
    })
  )

  onFakes(
    "gets the state by get_status, with what is wrong",
    Effect.gen(function* () {
      const devices = yield* Devices
      const camera = yield* plugIn()
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs"))
      yield* untilIs('camera_fault{camera="camera0",fault="BUSY"}', 1)
      yield* TestClock.adjust("3 seconds")
      const { uptime, version, ...rest } = (yield* call("get_status")).result
      assert.deepStrictEqual(rest, {
        status: "DEGRADED",
        components: { websocket_server: "RUNNING", camera_monitor: "RUNNING", mediamtx: "RUNNING" },
        reasons: ["camera0: BUSY"]
      })
      assert.isAbove(Number(uptime), 2.9)
      assert.isString(version)
    })
  )

  onFakes(
    "is whom they are for: others may not call them",
    Effect.gen(function* () {
      for (const method of ["get_metrics", "get_status"]) {
        assert.strictEqual((yield* call(method, "operator")).error?.code, -32002, method)
      }
      const told = (yield* call("get_server_info", "operator")).result["server_time"]
      assert.match(String(told), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    })
  )
})
