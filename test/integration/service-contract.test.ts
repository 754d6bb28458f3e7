import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import { TopicEvent } from "../../schema/Event.ts"
import { connect, type PlainClient } from "../support/PlainClient.ts"
import { SharedService } from "../support/Service.ts"

const clientAs = (role: "viewer" | "operator" | "admin") =>
  Effect.gen(function* () {
    const service = yield* SharedService
    return yield* connect(service.url, yield* service.token({ role }))
  })

/** Reads a result by the method's schema; a field that the contract does not name is an error. */
const read = (method: string, result: unknown): unknown => {
  const rpc = CameraRpcs.requests.get(method)
  if (rpc === undefined) throw new Error(`${method} is no method of the contract`)
  const schema = rpc.successSchema as Schema.Codec<unknown>
  return Schema.decodeUnknownSync(Schema.toCodecJson(schema), { onExcessProperty: "error" })(result)
}

const readEvent = Schema.decodeUnknownSync(Schema.toCodecJson(TopicEvent), { onExcessProperty: "error" })

/** Calls methods and remembers which, so that none is left out. */
const tour = (client: PlainClient) => {
  const visited = new Set<string>()
  const visit = <A = Readonly<Record<string, unknown>>>(method: string, params: unknown = {}) =>
    Effect.map(client.result(method, params), (result) => {
      visited.add(method)
      return read(method, result) as A
    })
  return { visit, visited }
}

const withDevice = [
  "get_camera_status",
  "get_camera_capabilities",
  "get_camera_controls",
  "take_snapshot",
  "start_recording",
  "stop_recording",
  "start_streaming",
  "stop_streaming",
  "get_stream_url",
  "get_stream_status",
  "create_viewing_key"
]

/** Params that break a rule, and which of them is named. */
const broken: ReadonlyArray<readonly [method: string, params: unknown, param: string]> = [
  ["get_camera_status", {}, "device"],
  ["get_camera_status", undefined, "device"],
  ["get_camera_status", { device: "/dev/video0" }, "device"],
  ["get_camera_status", { device: 0 }, "device"],
  ["get_camera_status", { device: "camera0", debug: "yes" }, "debug"],
  ["get_camera_list", { all: true }, "all"],
  ["set_camera_control", { device: "camera0", value: 1 }, "id"],
  ["set_camera_control", { device: "camera0", id: 9963776, value: 0.5 }, "value"],
  ["ptz_move", { device: "camera0", pan: 1.5 }, "pan"],
  ["ptz_move", { device: "camera0", zoom: 1, timeout_ms: 50 }, "timeout_ms"],
  ["ptz_goto", { device: "camera0", preset: "" }, "preset"],
  ["get_stream_url", { device: "camera0", signed: "yes" }, "signed"],
  ["get_download_url", { filename: "../a.mp4" }, "filename"],
  ["take_snapshot", { device: "camera0", quality: 0 }, "quality"],
  ["take_snapshot", { device: "camera0", quality: 101 }, "quality"],
  ["take_snapshot", { device: "camera0", format: "gif" }, "format"],
  ["take_snapshot", { device: "camera0", max_age_ms: -1 }, "max_age_ms"],
  ["take_snapshot", { device: "camera0", filename: "../x.jpg" }, "filename"],
  ["take_snapshot", { device: "camera0", filename: "x.png", format: "jpg" }, "filename"],
  ["start_recording", { device: "camera0", duration: 0 }, "duration"],
  ["start_recording", { device: "camera0", duration: 86_401 }, "duration"],
  ["start_recording", { device: "camera0", format: "avi" }, "format"],
  ["list_recordings", { limit: 0 }, "limit"],
  ["list_recordings", { limit: 1001 }, "limit"],
  ["list_snapshots", { offset: -1 }, "offset"],
  ["subscribe_events", {}, "topics"],
  ["subscribe_events", { topics: ["camera.*", "*"] }, "topics[1]"],
  ["subscribe_events", { topics: ["camera.*"], filters: { device: "video0" } }, "filters.device"],
  ["unsubscribe_events", { topics: [] }, "topics"],
  ["get_recording_info", { filename: "../secrets/jwt_secret" }, "filename"],
  ["delete_snapshot", { filename: "" }, "filename"],
  ["set_retention_policy", { policy_type: "weight", enabled: true }, "policy_type"],
  ["set_retention_policy", { policy_type: "age" }, "enabled"],
  ["set_retention_policy", { policy_type: "age", enabled: true, max_age_days: 0 }, "max_age_days"],
  ["set_retention_policy", { policy_type: "age", enabled: true }, "max_age_days"],
  ["set_retention_policy", { policy_type: "size", enabled: true, max_size_gb: -1 }, "max_size_gb"],
  ["create_api_key", { role: "viewer", expires_in_days: 3651 }, "expires_in_days"],
  ["revoke_api_key", { key_id: "1" }, "key_id"],
  ["create_viewing_key", { device: "camera0", expires_in_seconds: 59 }, "expires_in_seconds"],
  ["authenticate", {}, "auth_token"]
]

layer(SharedService.layer({ settings: { EXTERNAL_ALLOWED_HOSTS: "127.0.0.1" } }), {
  timeout: "120 seconds",
  excludeTestServices: true
})("the contract", (it) => {
  it.effect("every method answers a plain WebSocket client, in the shape that the contract gives", () =>
    Effect.gen(function* () {
      const service = yield* SharedService
      const client = yield* connect(service.url)
      const { visit, visited } = tour(client)
      assert.strictEqual(yield* visit<string>("ping"), "pong")
      const session = yield* visit("authenticate", { auth_token: yield* service.token({ role: "admin" }) })
      assert.include(session, { authenticated: true, role: "admin" })
      assert.sameMembers([...(session["permissions"] as ReadonlyArray<string>)], [...CameraRpcs.requests.keys()])

      const { auth_token } = yield* visit<{ readonly auth_token: string }>("refresh_token")
      const renewed = yield* visit("authenticate", { auth_token })
      assert.include(renewed, { role: "admin" })
      const made = yield* visit("create_api_key", { role: "viewer", description: "a wall", cameras: ["camera0"] })
      assert.include(made, { role: "viewer", description: "a wall", status: "ACTIVE" })
      const rotated = yield* visit("rotate_api_key", { key_id: made["key_id"] })
      assert.notStrictEqual(rotated["api_key"], made["api_key"])
      assert.include(yield* visit("revoke_api_key", { key_id: rotated["key_id"] }), { status: "REVOKED" })
      assert.include(yield* visit("create_viewing_key", { device: "camera0" }), { device: "camera0" })
      assert.include(yield* visit("list_api_keys"), { total: 3 })

      assert.include(yield* visit("get_camera_list"), { total: 2, connected: 2 })
      const device = { device: "camera0" }
      const status = yield* visit("get_camera_status", { ...device, debug: true })
      assert.include(status, { device: "camera0", status: "CONNECTED", resolution: "640x480", fps: 25 })
      assert.deepStrictEqual(status["debug"], { internal_device_path: "synthetic:0" })
      assert.include(yield* visit("get_camera_capabilities", device), { validation_status: "CONFIRMED" })
      assert.deepStrictEqual(yield* visit("get_camera_controls", device), { controls: [] })
      // a test pattern has no control that could be set
      visited.add("set_camera_control")
      const noControl = yield* client.error("set_camera_control", { ...device, id: 9963776, value: 1 })
      assert.include(noControl, { code: -32010, resource: "control", id: "9963776" })
      for (const [method, more] of [
        ["ptz_move", { pan: 1 }],
        ["ptz_stop", {}],
        ["ptz_presets", {}],
        ["ptz_goto", { preset: "1" }]
      ] as const) {
        visited.add(method)
        assert.include(yield* client.error(method, { ...device, ...more }), { code: -32030, feature: "ptz" })
      }
      assert.include(yield* visit("get_system_status"), { status: "ready" })
      assert.include(yield* visit("get_server_info"), { name: "camera-service" })
      assert.deepInclude(yield* visit("get_status"), { status: "HEALTHY", reasons: [] })
      const topics = ["snapshot.*", "recording.stop"]
      assert.deepInclude(yield* visit("subscribe_events", { topics, filters: device }), { topics, filters: device })
      assert.include(yield* visit("rpc.discover"), { openrpc: "1.3.2" })

      // nobody is there: it is added, and waited for
      const drone = { stream_url: "rtsp://127.0.0.1:9/video" }
      const { fault } = yield* visit("add_external_stream", { ...drone, stream_name: "UAV 7" }).pipe(
        Effect.tap((added) => Effect.sync(() => assert.include(added, { device: "camera2", status: "ADDED" }))),
        Effect.andThen(visit("get_camera_status", { device: "camera2" }))
      )
      assert.deepInclude(fault, { kind: "UNREACHABLE" })
      assert.include(yield* visit("get_external_streams"), { total_count: 1 })
      assert.include(yield* visit("remove_external_stream", drone), { status: "REMOVED" })
      assert.include(yield* visit("set_discovery_interval", { scan_interval: 0 }), { status: "UPDATED" })
      const nowhere = { skydio_enabled: false, onvif_enabled: false }
      assert.deepInclude(yield* visit("discover_external_streams", nowhere), { total_found: 0, errors: [] })

      assert.include(yield* visit("get_stream_status", device), { status: "INACTIVE", start_time: "" })
      const started = yield* visit("start_streaming", device)
      assert.include(started, { status: "STARTED", stream_name: "camera0", auto_close_after: "300s" })
      assert.include(yield* visit("get_clients"), { total: 1, limit: 50, offset: 0 })
      const inForce = JSON.stringify(yield* visit("get_configuration"))
      assert.include(inForce, '"key":"cameras.synthetic","value":2,"source":"environment"')
      assert.deepInclude(yield* visit("get_metrics"), {
        stream_metrics: { active_streams: 1, total_streams: 2, total_viewers: 0 }
      })
      const active = yield* visit("get_stream_status", device)
      assert.include(active, { status: "ACTIVE", ready: true })
      assert.match(JSON.stringify(active), /"encoding":{"input":"RAW \d+x\d+ at \d+\/s","encoder":"\w+","hardware":/)
      assert.include(yield* visit("get_stream_url", device), { stream_status: "READY", available: true })
      assert.strictEqual((yield* visit<ReadonlyArray<unknown>>("get_streams")).length, 2)

      // the first one waits for the stream's first picture; from then on there is one at hand
      const first = yield* visit("take_snapshot", device)
      yield* visit("delete_snapshot", { filename: first["filename"] })
      const picture = yield* visit("take_snapshot", { ...device, format: "png" })
      assert.include(picture, { status: "SUCCESS", tier: 1, tier_name: "live", width: 640, height: 480 })
      const recording = yield* visit("start_recording", { ...device, format: "mkv" })
      assert.include(recording, { status: "RECORDING", format: "mkv" })
      const stopped = yield* visit("stop_recording", device)
      assert.include(stopped, { status: "STOPPED", format: "mkv" })
      assert.isAbove(Number(stopped["duration"]), 0)
      // each event in the shape that the contract gives, and what it tells of the file is what the reply does
      const events = client.notices().flatMap(({ method, params }) => (method === "event" ? [readEvent(params)] : []))
      const [before, taken, end] = events
      assert.lengthOf(events, 3)
      assert.deepInclude(before, { topic: "snapshot.taken", device: "camera0" })
      assert.deepInclude<object | undefined>(taken?.data, {
        filename: picture["filename"],
        file_size: picture["file_size"]
      })
      assert.deepInclude<object | undefined>(end?.data, {
        filename: stopped["filename"],
        duration: stopped["duration"]
      })
      const stats = { client_topics: ["snapshot.taken", "recording.stop"], client_id: renewed["session_id"] }
      assert.deepInclude(yield* visit("get_subscription_stats"), stats)
      assert.deepInclude(yield* visit("unsubscribe_events"), { topics: stats.client_topics })
      assert.include(yield* visit("stop_streaming", device), { status: "STOPPED", stream_continues: false })

      const name = { filename: stopped["filename"] }
      assert.include(yield* visit("list_recordings", { ...device, limit: 1 }), { total: 1, limit: 1, offset: 0 })
      assert.include(yield* visit("get_recording_info", name), { ...name, codec: "h264", width: 640, height: 480 })
      assert.include(yield* visit("delete_recording", name), { ...name, deleted: true })
      yield* visit("start_recording", device)
      const { end_time, filename, start_time } = yield* visit("stop_recording", device)
      const period = { from: start_time, to: end_time }
      assert.deepInclude(yield* visit("get_recorded_spans", period), period)
      assert.deepInclude(yield* visit("get_recorded_files", { ...device, ...period }), device)
      assert.include(yield* visit("get_recording_parts", { filename }), { filename })
      assert.deepInclude(yield* visit("get_recording_telemetry", { filename }), { filename, points: [] })
      // nor does it tell where it looks
      for (const method of ["get_telemetry", "ptz_move", "ptz_stop", "ptz_presets", "ptz_goto"]) visited.add(method)
      assert.include(yield* client.error("get_telemetry", device), { code: -32030, feature: "telemetry" })
      for (const [method, params] of [
        ["ptz_move", { pan: 1 }],
        ["ptz_stop", {}],
        ["ptz_presets", {}],
        ["ptz_goto", { preset: "1" }]
      ] as const) {
        assert.include(yield* client.error(method, { ...device, ...params }), { code: -32030, feature: "ptz" })
      }
      assert.deepInclude(yield* visit("export_recording", { ...device, ...period }), { ...device, ...period })
      yield* visit("delete_recording", { filename })
      const still = { filename: picture["filename"] }
      assert.include(yield* visit("list_snapshots"), { total: 1, limit: 50, offset: 0 })
      assert.include(yield* visit("get_snapshot_info", still), { ...still, width: 640, height: 480 })
      assert.include(yield* visit("get_download_url", still), still)
      assert.include(yield* visit("delete_snapshot", still), { ...still, deleted: true })
      assert.deepStrictEqual(yield* visit("list_snapshots"), { files: [], total: 0, limit: 50, offset: 0 })

      const usage = yield* visit("get_storage_info")
      assert.include(usage, { recordings_size: 0, snapshots_size: 0 })
      assert.isAbove(Number(usage["total_space"]), Number(usage["used_space"]))
      const policy = { policy_type: "age", enabled: true, max_age_days: 30 }
      assert.deepStrictEqual(yield* visit("set_retention_policy", policy), {
        ...policy,
        message: "files older than 30 days are deleted"
      })
      assert.include(yield* visit("cleanup_old_files"), { cleanup_executed: true, files_deleted: 0, space_freed: 0 })
      assert.sameMembers([...visited], [...CameraRpcs.requests.keys()])
    })
  )

  for (const method of withDevice) {
    it.effect(`${method} says that there is no such camera, and which was asked for`, () =>
      Effect.gen(function* () {
        const client = yield* clientAs("admin")
        const error = yield* client.error(method, { device: "camera9" })
        assert.include(error, { code: -32010, message: "Not Found", resource: "camera", id: "camera9" })
      })
    )
  }

  for (const [method, params, param] of broken) {
    it.effect(`${method} refuses ${JSON.stringify(params) ?? "no params"} and names ${param}`, () =>
      Effect.gen(function* () {
        const client = yield* clientAs("admin")
        const error = yield* client.error(method, params)
        assert.include(error, { code: -32602, message: "Invalid params", param })
        assert.isNotEmpty(error["rule"])
        assert.isNotEmpty(error["hint"])
      })
    )
  }

  it.effect("a recording or snapshot that is not there is not found, by its name", () =>
    Effect.gen(function* () {
      const client = yield* clientAs("admin")
      for (const kind of ["recording", "snapshot"]) {
        for (const verb of ["get_KIND_info", "delete_KIND"]) {
          const error = yield* client.error(verb.replace("KIND", kind), { filename: "nothing.mp4" })
          assert.include(error, { code: -32010, resource: kind, id: "nothing.mp4" })
        }
      }
      const none = { files: [], total: 0, limit: 50, offset: 0 }
      assert.deepStrictEqual(yield* client.result("list_recordings", { device: "camera9" }), none)
    })
  )

  it.effect("what is not possible now says the state, and the states in which it is", () =>
    Effect.gen(function* () {
      const client = yield* clientAs("operator")
      const idle = yield* client.error("stop_recording", { device: "camera1" })
      assert.deepInclude(idle, {
        code: -32020,
        message: "Invalid State",
        state: "STOPPED",
        allowed_states: ["RECORDING"]
      })
      yield* client.result("start_recording", { device: "camera1" })
      const twice = yield* client.error("start_recording", { device: "camera1" })
      assert.deepInclude(twice, { code: -32020, state: "RECORDING", allowed_states: ["STOPPED"] })
      yield* client.result("stop_recording", { device: "camera1" })
      // nothing lingers after a recording
      const silent = yield* client.error("stop_streaming", { device: "camera1" })
      assert.include(silent, { code: -32020, state: "INACTIVE" })
    })
  )

  it.effect("an unknown method gets the nearest known one as a hint", () =>
    Effect.gen(function* () {
      const client = yield* clientAs("viewer")
      const error = yield* client.error("get_camera_lst")
      assert.include(error, { code: -32601, message: "Method not found", hint: "did you mean get_camera_list?" })
    })
  )

  it.effect("only an admin is told where a camera's device is", () =>
    Effect.gen(function* () {
      const client = yield* clientAs("operator")
      const error = yield* client.error("get_camera_status", { device: "camera0", debug: true })
      assert.include(error, { code: -32002, required_role: "admin", have_role: "operator" })
      assert.notInclude(client.texts().join("\n"), "synthetic:0")
    })
  )
})
