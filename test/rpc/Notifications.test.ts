import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import { Settings } from "../../src/config/Settings.ts"
import { version } from "../../src/config/Version.ts"
import { Devices } from "../../src/device/Devices.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { record, start } from "../suites/recordings.ts"
import { bringMediaMtx, dataFolder, disturb, onFakes, onTestGround, plugIn, takeMediaMtx } from "../support/App.ts"
import { listeningClient } from "../support/Story.ts"
import { testSettings } from "../support/TestSettings.ts"

type Client = Effect.Success<ReturnType<typeof listeningClient>>

const topicsOf = (client: Client) => client.all("event").map(({ topic }) => topic)

/** A client of this role, subscribed to these. */
const subscriber = Effect.fnUntraced(function* (
  topics: ReadonlyArray<string>,
  role?: Parameters<typeof listeningClient>[0],
  cameras?: ReadonlyArray<string>
) {
  const client = yield* listeningClient(role, cameras)
  yield* client.call("subscribe_events", { topics })
  return client
})

/** Whatever was told before has arrived. */
const settled = (client: Client) => client.call("ping", {})

describe("who subscribed hears", () => {
  onFakes(
    "of a camera that comes, has a fault, works again and goes: each once, with what the list says of it",
    Effect.gen(function* () {
      const { cameras } = yield* TestGround
      const devices = yield* Devices
      const client = yield* subscriber(["camera.*"])
      const bystander = yield* listeningClient("viewer")
      const camera = yield* cameras.plug({ name: "UVC Camera" })
      yield* client.update("event", { topic: "camera.connected" })
      yield* devices.fault("camera0", faultOf("BUSY", "opened by obs"))
      yield* devices.recovered("camera0")
      yield* camera.unplug
      const gone = yield* client.update("event", { topic: "camera.disconnected" })
      assert.deepStrictEqual(topicsOf(client), [
        "camera.connected",
        "camera.status_change",
        "camera.status_change",
        "camera.disconnected"
      ])
      const [first] = client.all("event")
      assert.include(first, { device: "camera0" })
      assert.match(String(first?.["timestamp"]), /^1970-01-01T00:00:\d\d\.\d{3}Z$/)
      const list = yield* client.call("get_camera_list", {})
      assert.deepStrictEqual([gone?.["data"]], list?.["cameras"])
      // who did not subscribe gets what everybody gets, and no event
      yield* settled(bystander)
      assert.deepStrictEqual(
        bystander.all("camera_status_update").map(({ status }) => status),
        ["CONNECTED", "ERROR", "CONNECTED", "DISCONNECTED"]
      )
      assert.deepStrictEqual(topicsOf(bystander), [])
    })
  )

  onFakes(
    "of a recording that starts and stops, with the duration that the reply tells, in whole milliseconds",
    Effect.gen(function* () {
      yield* plugIn()
      const client = yield* subscriber(["recording.*"])
      const started = yield* client.call("start_recording", { device: "camera0" })
      yield* client.update("recording_status_update", { status: "RECORDING" })
      const stopped = yield* client.call("stop_recording", { device: "camera0" })
      assert.deepStrictEqual(topicsOf(client), ["recording.start", "recording.stop"])
      const [start, stop] = client.all("event")
      assert.deepInclude(start?.["data"], { device: "camera0", status: "RECORDING", filename: started?.["filename"] })
      assert.deepInclude(stop?.["data"], { status: "STOPPED", filename: started?.["filename"] })
      const updates = client.all("recording_status_update")
      assert.deepStrictEqual(updates.at(-1), stop?.["data"])
      assert.strictEqual(updates.at(-1)?.["duration"], stopped?.["duration"])
      for (const { duration } of updates) assert.match(String(duration), /^\d+(\.\d{1,3})?$/)
    })
  )

  onFakes(
    "of a recording whose camera is pulled out and comes back, with the duration of its files",
    Effect.gen(function* () {
      const { cameras } = yield* TestGround
      const client = yield* subscriber(["recording.*"])
      const camera = yield* cameras.plug({ name: "UVC Camera" })
      yield* client.update("camera_status_update", { status: "CONNECTED" })
      const started = yield* client.call("start_recording", { device: "camera0" })
      yield* asTimePasses(Effect.sleep("2 seconds"))
      yield* camera.unplug
      const gone = yield* client.update("event", { topic: "recording.stop" })
      const file = yield* client.call("get_recording_info", { filename: started?.["filename"] })
      assert.isAbove(Number(file?.["duration"]), 1)
      assert.deepInclude(gone?.["data"], { status: "STOPPED", duration: file?.["duration"] })
      yield* camera.replug()
      yield* asTimePasses(Effect.sleep("5 seconds"))
      const stopped = yield* client.call("stop_recording", { device: "camera0" })
      yield* settled(client)
      assert.deepStrictEqual(topicsOf(client), [
        "recording.start",
        "recording.stop",
        "recording.start",
        "recording.stop"
      ])
      assert.deepInclude(client.all("event").at(-1)?.["data"], { status: "STOPPED", duration: stopped?.["duration"] })
    })
  )

  onFakes(
    "of a recording that cannot begin",
    Effect.gen(function* () {
      yield* plugIn()
      yield* disturb({ failStarts: 1000 })
      const client = yield* subscriber(["recording.error"])
      yield* client.error("start_recording", { device: "camera0" })
      yield* settled(client)
      assert.deepStrictEqual(topicsOf(client), ["recording.error"])
      assert.deepInclude(client.all("event")[0]?.["data"], { status: "ERROR" })
    })
  )

  onFakes(
    "of a snapshot, with what the reply says of it",
    Effect.gen(function* () {
      yield* plugIn()
      const client = yield* subscriber(["snapshot.taken"])
      const reply = yield* client.call("take_snapshot", { device: "camera0" })
      yield* settled(client)
      const [taken, ...more] = client.all("event")
      assert.deepStrictEqual(more, [])
      const data = taken?.["data"] as Readonly<Record<string, unknown>>
      for (const [field, value] of Object.entries(data)) assert.deepStrictEqual(value, reply?.[field], field)
      assert.sameMembers(Object.keys(data), [
        "device",
        "filename",
        "timestamp",
        "age_ms",
        "file_size",
        "file_path",
        "tier_name"
      ])
    })
  )

  onFakes(
    "only of the camera that it named, and of what is no camera's",
    Effect.gen(function* () {
      const devices = yield* Devices
      const client = yield* listeningClient()
      yield* client.call("subscribe_events", { topics: ["camera.*", "system.health"], filters: { device: "camera1" } })
      yield* plugIn(0)
      yield* plugIn(1)
      yield* devices.fault("camera0", faultOf("BUSY", "opened by obs"))
      yield* client.update("event", { topic: "system.health" })
      assert.deepStrictEqual(
        client.all("event").map(({ device, topic }) => [topic, device]),
        [
          ["camera.connected", "camera1"],
          ["system.health", undefined]
        ]
      )
    })
  )

  onFakes(
    "nothing of cameras that its token does not name",
    Effect.gen(function* () {
      const devices = yield* Devices
      const all = ["camera.*", "recording.*", "snapshot.*", "system.*"]
      const client = yield* subscriber(all, "admin", ["camera1"])
      const other = yield* subscriber(all)
      yield* plugIn(0)
      yield* plugIn(1)
      yield* other.call("take_snapshot", { device: "camera0" })
      yield* devices.fault("camera0", faultOf("BUSY", "opened by obs"))
      yield* client.update("system_health_update", { status: "DEGRADED" })
      yield* settled(client)
      // what is wrong names a camera
      const told = JSON.stringify([...client.all("event"), ...client.all("system_health_update")])
      assert.notInclude(told, "camera0")
      assert.deepStrictEqual(topicsOf(client), ["camera.connected", "system.health"])
      assert.deepStrictEqual(
        client.all("camera_status_update").map(({ device }) => device),
        ["camera1"]
      )
    })
  )

  onFakes(
    "once of what comes to everybody anyway",
    Effect.gen(function* () {
      const client = yield* subscriber(["camera_status_update", "recording_status_update", "system_health_update"])
      yield* plugIn()
      yield* client.update("camera_status_update", { device: "camera0" })
      yield* settled(client)
      assert.strictEqual(client.all("camera_status_update").length, 1)
      assert.deepStrictEqual(topicsOf(client), [])
    })
  )

  onFakes(
    "no more once it has unsubscribed",
    Effect.gen(function* () {
      const client = yield* subscriber(["camera.*", "system.health"])
      yield* plugIn(0)
      yield* client.update("event", { device: "camera0" })
      yield* client.call("unsubscribe_events", { topics: ["camera.connected"] })
      yield* plugIn(1)
      yield* Effect.flatMap(Devices, ({ fault }) => fault("camera1", faultOf("BUSY", "opened by obs")))
      yield* client.update("event", { topic: "system.health" })
      assert.deepStrictEqual(topicsOf(client), ["camera.connected", "camera.status_change", "system.health"])
      yield* client.call("unsubscribe_events", {})
      yield* Effect.flatMap(Devices, ({ recovered }) => recovered("camera1"))
      yield* client.update("camera_status_update", { device: "camera1", status: "CONNECTED" })
      yield* settled(client)
      assert.strictEqual(topicsOf(client).length, 3)
    })
  )
})

describe("everybody hears", () => {
  onFakes(
    "when a component's state changes, and admins hear why",
    Effect.gen(function* () {
      const viewer = yield* subscriber(["system.health"], "viewer")
      const admin = yield* listeningClient("admin")
      yield* takeMediaMtx
      const seen = yield* viewer.update("system_health_update", { status: "UNHEALTHY" })
      const known = yield* admin.update("system_health_update", { status: "UNHEALTHY" })
      const components = { websocket_server: "RUNNING", camera_monitor: "RUNNING", mediamtx: "ERROR" }
      assert.deepStrictEqual(seen?.["components"], components)
      assert.notProperty(seen, "reasons")
      assert.match(String(seen?.["uptime"]), /^\d+(\.\d{1,3})?$/)
      assert.deepStrictEqual(known, { ...seen, reasons: ["MediaMTX is stopped"] })
      yield* bringMediaMtx
      yield* admin.update("system_health_update", { status: "HEALTHY" })
      yield* settled(viewer)
      const updates = viewer.all("system_health_update")
      assert.deepStrictEqual(
        updates.map((update) => (update["components"] as typeof components).mediamtx),
        ["ERROR", "STARTING", "RUNNING"]
      )
      assert.deepStrictEqual(
        viewer.all("event").map(({ data }) => data),
        updates
      )
    })
  )

  it.effect("that a recording is over since the service ends, before it hears of that", () =>
    Effect.gen(function* () {
      const life = yield* Scope.make()
      const settings = Layer.sync(Settings, () => testSettings({ data_dir: dataFolder }))
      const app = yield* Layer.build(App.layer.pipe(Layer.provideMerge(settings))).pipe(Scope.provide(life))
      const client = yield* Effect.gen(function* () {
        const camera = yield* plugIn()
        const subscribed = yield* subscriber(["recording.*"], "operator")
        yield* record(yield* start({ camera }))
        return subscribed
      }).pipe(Effect.provideContext(app))
      yield* asTimePasses(Scope.close(life, Exit.void))
      yield* client.update("event", { topic: "system.shutdown" })
      assert.deepStrictEqual(topicsOf(client), ["recording.start", "recording.stop", "system.shutdown"])
      const last = client.all("recording_status_update").at(-1)
      assert.deepInclude(last, { status: "STOPPED", reason: "the service is ending" })
      assert.isAbove(Number(last?.["duration"]), 0)
    }).pipe(Effect.scoped, onTestGround)
  )

  it.effect("when the service is up, if it subscribed, and when it ends, whether it did or not", () =>
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      yield* mediaMtx.disturb({ idles: true })
      const life = yield* Scope.make()
      const settings = Layer.sync(Settings, () => testSettings({ data_dir: dataFolder }))
      const app = yield* Layer.build(App.layer.pipe(Layer.provideMerge(settings))).pipe(Scope.provide(life))
      const clients = yield* Effect.all([
        subscriber(["system.startup", "system.shutdown"]),
        listeningClient("viewer")
      ]).pipe(Effect.provideContext(app))
      yield* bringMediaMtx
      const up = yield* clients[0].update("event", { topic: "system.startup" })
      assert.deepStrictEqual(up?.["data"], { version })
      yield* asTimePasses(Scope.close(life, Exit.void))
      for (const client of clients) {
        yield* client.update("event", { topic: "system.shutdown" })
        assert.strictEqual(yield* client.closed, 1001)
      }
      assert.deepStrictEqual(clients.map(topicsOf), [["system.startup", "system.shutdown"], ["system.shutdown"]])
    }).pipe(Effect.scoped, onTestGround)
  )
})
