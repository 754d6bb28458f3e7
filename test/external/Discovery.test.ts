import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { onFakes } from "../support/App.ts"
import { clientAs, onvifCamera, pass, skydio } from "./DiscoveryBench.ts"

describe("discover_external_streams", () => {
  onFakes(
    "finds a drone among 253 silent addresses in less than five seconds by 128 sockets at most, and tells how far it is",
    Effect.gen(function* () {
      const { peers } = yield* TestGround
      yield* skydio
      const { call, discover, told } = yield* clientAs("operator")
      yield* call("subscribe_events", { topics: ["discovery.*"] })
      const { result } = yield* discover({ onvif_enabled: false })
      assert.deepEqual(result.skydio_streams.map(({ url }) => url).sort(), [
        "rtsp://192.168.42.77:5554/subject",
        "rtsp://192.168.42.77:6554/infrared"
      ])
      assert.deepInclude(result.skydio_streams[0], {
        type: "skydio_stanag4609",
        status: "DISCOVERED",
        capabilities: ["h264", "640x480", "klv"]
      })
      assert.deepEqual(result.discovered_streams, result.skydio_streams)
      assert.deepInclude(result, {
        total_found: 2,
        errors: [],
        onvif_streams: [],
        generic_streams: [],
        discovery_options: {
          skydio_enabled: true,
          generic_enabled: false,
          onvif_enabled: false,
          force_rescan: false,
          include_offline: false
        }
      })
      assert.isTrue(Number.isInteger(result["scan_timestamp"]))
      assert.match(String(result["scan_duration"]), /^\d+\.\ds$/)
      assert.isBelow(Number.parseFloat(String(result["scan_duration"])), 5)
      assert.isAtMost(peers.mostAtOnce(), 128)
      assert.isAtLeast(peers.mostAtOnce(), 100)
      const progress = told
        .filter(({ params }) => params?.topic === "discovery.progress")
        .map(({ params }) => params?.data)
      assert.deepEqual(progress[0], { state: "SCANNING", looked: 0, total: 508, found: 0 })
      assert.deepEqual(progress.at(-1), { state: "DONE", looked: 508, total: 508, found: 2 })
      assert.isAtMost(progress.length, 22)
      const known = (yield* call("get_external_streams")).result
      assert.deepEqual(known["skydio_streams"], result.skydio_streams)
    })
  )

  onFakes(
    "takes no open port for a stream, and says which streams want a password",
    Effect.gen(function* () {
      const { peers, rtspCameras } = yield* TestGround
      // a web server, and one that says nothing at all
      yield* peers.listen("192.168.42.3", 5554, ({ say }) =>
        Effect.sync(() => say(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")))
      )
      yield* peers.listen("192.168.42.4", 6554, () => Effect.never)
      const other = yield* rtspCameras.start("192.168.42.5", 5554)
      yield* other.disturb({ refuses: { DESCRIBE: "404 Not Found" } })
      const locked = yield* rtspCameras.start("192.168.42.6", 5554)
      yield* locked.disturb({ login: { user: "admin", password: "word", way: "MD5" } })
      const { discover } = yield* clientAs("operator")
      const { result } = yield* discover({ onvif_enabled: false })
      assert.deepEqual(result.discovered_streams, [])
      assert.deepEqual(result.errors, [
        "rtsp://192.168.42.6:5554/subject: it wants a user and a password; add it with them"
      ])
      assert.strictEqual(locked.rejections(), 0)
    })
  )

  onFakes(
    "is one at a time, and no more often than every five seconds; what was found just now is told again",
    Effect.gen(function* () {
      yield* skydio
      const first = yield* clientAs("operator")
      const second = yield* clientAs("operator")
      const scanning = yield* Effect.forkChild(first.discover({ onvif_enabled: false }))
      yield* settle
      const refused = yield* second.replyTo("discover_external_streams", { force_rescan: true })
      assert.deepInclude(refused.error, { code: -32020 })
      assert.deepInclude(refused.error?.data, { state: "SCANNING", allowed_states: ["IDLE"] })
      const { result } = yield* Fiber.join(scanning)
      const again = yield* second.discover({ onvif_enabled: false })
      assert.deepInclude(again.result, { scan_timestamp: result["scan_timestamp"], total_found: 2 })
      const limited = yield* second.discover({ onvif_enabled: false, force_rescan: true })
      assert.strictEqual(limited.error?.code, -32040)
      yield* pass(Math.ceil(Number(limited.error?.data["retry_after_ms"]) / 1000))
      const later = yield* second.discover({ onvif_enabled: false, force_rescan: true })
      assert.isAbove(Number(later.result["scan_timestamp"]), Number(result["scan_timestamp"]))
    })
  )

  onFakes(
    "asks no camera that is watched: many have room for one",
    Effect.gen(function* () {
      const { rtspCameras } = yield* TestGround
      const camera = yield* rtspCameras.start("192.168.42.10", 5554)
      const { call, discover } = yield* clientAs("operator")
      const stream_url = "rtsp://192.168.42.10:5554/subject"
      yield* call("add_external_stream", { stream_url, stream_name: "Drone", stream_type: "skydio_stanag4609" })
      const before = camera.requests().length
      const { result } = yield* discover({ onvif_enabled: false })
      assert.deepEqual(
        result.skydio_streams.map(({ name, status, url }) => ({ name, status, url })),
        [{ name: "Drone", status: "ONLINE", url: stream_url }]
      )
      assert.strictEqual(camera.requests().length, before)
    })
  )

  onFakes(
    "ends when who asked for it goes away",
    Effect.gen(function* () {
      yield* skydio
      const first = yield* clientAs("operator")
      const second = yield* clientAs("operator")
      yield* Effect.forkChild(first.replyTo("discover_external_streams", {}))
      yield* pass(1)
      assert.strictEqual((yield* second.discover({ force_rescan: true })).error?.code, -32020)
      first.leave(1000)
      yield* settle
      // there is none that runs: the next one may begin five seconds after it did
      assert.strictEqual((yield* second.discover({ force_rescan: true })).error?.code, -32040)
    })
  )

  onFakes(
    "is nothing for viewers, nor for who may see some cameras only",
    Effect.gen(function* () {
      const viewer = yield* clientAs("viewer")
      assert.strictEqual((yield* viewer.discover()).error?.code, -32002)
      const guard = yield* clientAs("operator", ["camera0"])
      yield* guard.call("subscribe_events", { topics: ["discovery.progress"] })
      assert.strictEqual((yield* guard.discover()).error?.code, -32002)
      const operator = yield* clientAs("operator")
      yield* operator.discover()
      yield* guard.call("ping")
      assert.deepEqual(guard.told, [])
    })
  )

  onFakes(
    "looks for other servers where that is set, and says so where it is not",
    Effect.gen(function* () {
      const { rtspCameras } = yield* TestGround
      const camera = yield* rtspCameras.start("10.1.1.9", 8554)
      const { discover } = yield* clientAs("operator")
      const wanted = { skydio_enabled: false, onvif_enabled: false, generic_enabled: true }
      const { result } = yield* discover(wanted)
      assert.deepEqual(
        result.discovered_streams.map(({ name, type, url }) => ({ name, type, url })),
        ["stream", "live", "video"].map((path) => ({
          name: `RTSP 10.1.1.9 ${path}`,
          type: "generic_rtsp",
          url: `rtsp://10.1.1.9:8554/${path}`
        }))
      )
      assert.isAtMost(camera.mostAtOnce(), 1)
    }),
    { discovery: { generic_ranges: ["10.1.1.8/30"] } }
  )

  onFakes(
    "says what it was not to look at, and where it could not",
    Effect.gen(function* () {
      const { names, neighbours } = yield* TestGround
      neighbours.interfaces.splice(0)
      names.own.add("192.168.42.1")
      const { discover } = yield* clientAs("operator")
      const { errors } = (yield* discover({ generic_enabled: true })).result
      assert.deepEqual(errors, [
        "127.0.0.1: it is a loopback address",
        "no network interface is up: ONVIF cameras can't be asked for",
        "no network is set in which other RTSP servers are looked for: discovery.generic_ranges"
      ])
    }),
    { discovery: { skydio_ranges: ["127.0.0.1", "192.168.42.1"] } }
  )

  onFakes(
    "tells of those that were there before, where that is wanted",
    Effect.gen(function* () {
      const { rtspCameras } = yield* TestGround
      const { discover } = yield* clientAs("operator")
      const wanted = { onvif_enabled: false, force_rescan: true }
      yield* Effect.scoped(Effect.andThen(rtspCameras.start("192.168.42.10", 5554), discover(wanted)))
      yield* pass(5)
      assert.deepEqual((yield* discover(wanted)).result.discovered_streams, [])
      yield* pass(5)
      const { result } = yield* discover({ ...wanted, include_offline: true })
      assert.deepEqual(
        result.discovered_streams.map(({ status, url }) => ({ status, url })),
        [{ status: "OFFLINE", url: "rtsp://192.168.42.10:5554/subject" }]
      )
    })
  )
})

describe("set_discovery_interval", () => {
  onFakes(
    "has streams looked for again after a scan that broke",
    Effect.gen(function* () {
      const { neighbours } = yield* TestGround
      let isBroken = true
      yield* neighbours.listen("192.168.1.8", () => {
        if (isBroken) throw new Error("the scan breaks")
        return []
      })
      const { call } = yield* clientAs("admin")
      yield* call("set_discovery_interval", { scan_interval: 10 })
      yield* pass(25)
      isBroken = false
      yield* onvifCamera("192.168.1.64")
      yield* pass(25)
      assert.strictEqual((yield* call("get_external_streams")).result["total_count"], 1)
    }),
    { discovery: { skydio_ranges: ["192.168.42.10"] } }
  )

  onFakes(
    "has streams looked for every so often from then on, and never again with 0",
    Effect.gen(function* () {
      yield* onvifCamera("192.168.1.64")
      const { call, told } = yield* clientAs("admin")
      yield* call("subscribe_events", { topics: ["discovery.progress"] })
      const scans = Effect.gen(function* () {
        yield* call("ping")
        return told.splice(0).filter(({ params }) => params?.data["state"] === "DONE").length
      })
      yield* pass(100)
      assert.strictEqual(yield* scans, 0)
      yield* call("set_discovery_interval", { scan_interval: 60 })
      yield* pass(150)
      assert.strictEqual(yield* scans, 2)
      assert.strictEqual((yield* call("get_external_streams")).result["total_count"], 1)
      yield* call("set_discovery_interval", { scan_interval: 10 })
      yield* pass(25)
      assert.isAtLeast(yield* scans, 1)
      yield* call("set_discovery_interval", { scan_interval: 0 })
      yield* pass(100)
      assert.strictEqual(yield* scans, 0)
    }),
    { discovery: { skydio_ranges: ["192.168.42.10"] } }
  )
})
