import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onFakes, plugIn } from "../support/App.ts"
import { listeningClient } from "../support/Story.ts"

type Json = Readonly<Record<string, unknown>>

const listIn = (reply: Json | undefined, name: string): ReadonlyArray<Json> =>
  (reply?.[name] ?? []) as ReadonlyArray<Json>

describe("get_clients", () => {
  onFakes(
    "tells admins who is connected, the newest first, also who has not logged in; and nobody else",
    Effect.gen(function* () {
      const watcher = yield* listeningClient("viewer", ["camera0"])
      yield* watcher.call("subscribe_events", { topics: ["snapshot.taken"] })
      const admin = yield* listeningClient("admin")
      const told = yield* admin.call("get_clients", {})
      assert.include(told, { total: 2, limit: 50, offset: 0 })
      const [newest, oldest] = listIn(told, "clients")
      assert.deepInclude(newest?.["session"], { user: "admin", role: "admin" })
      assert.deepInclude(oldest?.["session"], { user: "viewer", role: "viewer", cameras: ["camera0"] })
      assert.deepInclude(oldest, { topics: 1 })
      assert.match(String(oldest?.["connected_at"]), /^1970-01-01T00:00:\d\d\.\d{3}Z$/)
      const second = yield* admin.call("get_clients", { limit: 1, offset: 1 })
      assert.deepStrictEqual(second?.["clients"], [oldest])
      const keeper = yield* listeningClient("admin", ["camera0"])
      for (const client of [watcher, keeper]) {
        const denied = yield* client.error("get_clients", {})
        assert.strictEqual(denied?.["code"], -32002)
      }
    })
  )
})

describe("get_configuration", () => {
  onFakes(
    "tells admins each key with its value and where that came from, and no secret",
    Effect.gen(function* () {
      const admin = yield* listeningClient("admin")
      const told = yield* admin.call("get_configuration", {})
      const settings = listIn(told, "settings")
      const of = (key: string) => settings.find((one) => one["key"] === key)
      assert.include(of("streams.viewer_linger_seconds"), {
        value: 7,
        source: "file",
        environment: "CAMERA_SERVICE_STREAMS_VIEWER_LINGER_SECONDS",
        changes: "while it runs"
      })
      assert.include(of("recording.format"), { value: "fmp4", source: "default" })
      assert.include(of("auth.jwt_secret"), { value: "***" })
      assert.notInclude(JSON.stringify(settings), "canary")
      for (const other of [yield* listeningClient("operator"), yield* listeningClient("admin", ["camera0"])]) {
        const denied = yield* other.error("get_configuration", {})
        assert.strictEqual(denied?.["code"], -32002)
      }
    }),
    {
      streams: { viewer_linger_seconds: 7 },
      auth: { jwt_secret: "the canary of a test, 32 bytes at least" }
    }
  )
})

describe("a camera in the list", () => {
  onFakes(
    "has its recording while there is one, from when it was asked for",
    Effect.gen(function* () {
      yield* plugIn()
      const operator = yield* listeningClient("operator")
      const viewer = yield* listeningClient("viewer")
      const recording = Effect.map(viewer.call("get_camera_list", {}), (list) => {
        const [camera] = listIn(list, "cameras")
        return camera?.["recording"]
      })
      assert.isUndefined(yield* recording)
      const { start_time } = (yield* operator.call("start_recording", { device: "camera0" })) ?? {}
      yield* viewer.update("recording_status_update", { status: "RECORDING" })
      assert.deepStrictEqual(yield* recording, { status: "RECORDING", since: start_time })
      const status = yield* viewer.call("get_camera_status", { device: "camera0" })
      assert.deepInclude(status, { recording: { status: "RECORDING", since: start_time } })
      yield* operator.call("stop_recording", { device: "camera0" })
      assert.isUndefined(yield* recording)
    })
  )
})
