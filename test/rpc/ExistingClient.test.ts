import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { errorCodes, internalError, invalidRequest, methodNotFound, parseError } from "../../schema/JsonRpc.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { bringMediaMtx, onFakes, plugIn, takeMediaMtx } from "../support/App.ts"
import { listeningClient } from "../support/Story.ts"
import { connectAs } from "./Harness.ts"

interface Failure {
  readonly error: { readonly code: number; readonly message: string }
}

/** What clients of the Go service with the same methods look at: they match words, and read fields that have moved. */
describe("a client that was written for the reference", () => {
  onFakes(
    "finds each error by its code and in the words of the specifications",
    Effect.gen(function* () {
      const client = yield* connectAs("viewer")
      const errorOf = (message: unknown) => Effect.map(client.call(message), (reply) => (reply as Failure).error)
      const request = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params })
      for (const [message, code, words] of [
        ["{", -32700, "Parse error"],
        [{ id: 1 }, -32600, "Invalid Request"],
        [request("no_such_method"), -32601, "Method not found"],
        [request("get_camera_status"), -32602, "Invalid params"],
        [request("authenticate", { auth_token: "x" }), -32001, "Auth Failed"],
        [request("take_snapshot", { device: "camera0" }), -32002, "Permission Denied"],
        [request("get_camera_status", { device: "camera9" }), -32010, "Not Found"]
      ] as const) {
        assert.deepInclude(yield* asTimePasses(errorOf(message)), { code, message: words })
      }
      const rest = [parseError, invalidRequest, methodNotFound, internalError, ...Object.values(errorCodes)]
      assert.deepInclude(rest, { code: -32603, message: "Internal error" })
      assert.deepInclude(rest, { code: -32020, message: "Invalid State" })
      assert.deepInclude(rest, { code: -32030, message: "Unsupported" })
      assert.deepInclude(rest, { code: -32040, message: "Rate Limited" })
      assert.deepInclude(rest, { code: -32050, message: "Dependency Failed" })
    })
  )

  onFakes(
    "reads metrics where they were, and where they are",
    Effect.gen(function* () {
      const { system_metrics = {}, ...metrics } =
        (yield* (yield* listeningClient("admin")).call("get_metrics", {})) ?? {}
      const system = system_metrics as Readonly<Record<string, unknown>>
      assert.hasAllKeys(system, ["cpu_usage", "memory_usage", "disk_usage", "goroutines"])
      for (const [name, value] of Object.entries(system)) {
        assert.isNumber(value, name)
        assert.strictEqual(metrics[name], value)
      }
    })
  )

  onFakes(
    "is told the components, whatever its role",
    Effect.gen(function* () {
      const clients = [yield* listeningClient("viewer"), yield* listeningClient("admin", ["camera0"])]
      yield* takeMediaMtx
      for (const client of clients) {
        const told = yield* client.update("system_health_update", { status: "UNHEALTHY" })
        assert.hasAllKeys(told?.["components"], ["websocket_server", "camera_monitor", "mediamtx"])
      }
      yield* bringMediaMtx
    })
  )

  onFakes(
    "subscribes to topics by their old names, and by the names of notifications that come anyway",
    Effect.gen(function* () {
      yield* plugIn()
      const client = yield* listeningClient()
      const topics = ["recording.started", "recording.stopped", "camera_status_update", "recording_status_update"]
      assert.deepEqual(yield* client.call("subscribe_events", { topics }), { subscribed: true, topics, filters: {} })
      yield* client.call("start_recording", { device: "camera0" })
      yield* client.update("event", { topic: "recording.start" })
      yield* client.call("stop_recording", { device: "camera0" })
      yield* client.update("event", { topic: "recording.stop" })
      const updates = client.all("recording_status_update").map(({ status }) => status)
      assert.strictEqual(updates.filter((status) => status === "RECORDING").length, 1)
    })
  )

  onFakes(
    "asks for jpeg as well as for jpg",
    Effect.gen(function* () {
      yield* plugIn()
      const client = yield* listeningClient()
      const taken = yield* client.call("take_snapshot", { device: "camera0", format: "jpeg" })
      assert.match(String(taken?.["filename"]), /\.jpg$/)
      const named = yield* client.call("take_snapshot", { device: "camera0", filename: "door.jpeg", format: "jpeg" })
      assert.deepInclude(named, { filename: "door.jpeg", status: "SUCCESS" })
    })
  )

  for (const format of ["fmp4", "mpegts", "stanag4609", "mp4", "mkv"]) {
    onFakes(
      `finds a recording (${format}) by one name, from first to last`,
      Effect.gen(function* () {
        yield* plugIn()
        const client = yield* listeningClient()
        const started = yield* client.call("start_recording", { device: "camera0", format })
        const filename = String(started?.["filename"])
        const recording = yield* client.update("recording_status_update", { status: "RECORDING" })
        assert.strictEqual(recording?.["filename"], filename)
        yield* asTimePasses(Effect.sleep("2 seconds"))
        const stopped = yield* client.call("stop_recording", { device: "camera0" })
        assert.deepInclude(stopped, { filename, files: [filename] })
        const told = yield* client.update("recording_status_update", { status: "STOPPED" })
        assert.strictEqual(told?.["filename"], filename)
        const listed = (yield* client.call("list_recordings", {}))?.["files"] as ReadonlyArray<{ filename: string }>
        assert.deepStrictEqual(
          listed.map((file) => file.filename),
          [filename]
        )
        assert.deepInclude(yield* client.call("get_recording_info", { filename }), { filename })
      })
    )
  }
})
