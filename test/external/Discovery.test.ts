import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { Role } from "../../schema/Auth.ts"
import type { ExternalStream } from "../../schema/External.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { onFakes } from "../support/App.ts"
import { playCamera } from "../support/OnvifCamera.ts"

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly topic: string; readonly data: Readonly<Record<string, unknown>> }
  readonly result: Readonly<Record<string, unknown>> & {
    readonly discovered_streams: ReadonlyArray<ExternalStream>
    readonly skydio_streams: ReadonlyArray<ExternalStream>
    readonly onvif_streams: ReadonlyArray<ExternalStream>
    readonly errors: ReadonlyArray<string>
  }
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

let id = 0

/** A client that calls while time passes; what it is told meanwhile is kept. */
const clientAs = Effect.fnUntraced(function* (role: Role, cameras?: ReadonlyArray<string>) {
  const client = yield* connectAs(role, cameras)
  const told: Array<Reply> = []
  const replyTo = Effect.fnUntraced(function* (method: string, params: object) {
    const mine = ++id
    client.send({ jsonrpc: "2.0", id: mine, method, params })
    for (;;) {
      const heard = (yield* client.next) as Reply
      if (heard.id === mine) return heard
      told.push(heard)
    }
  })
  const call = (method: string, params: object = {}) => asTimePasses(replyTo(method, params))
  const discover = (params: object = {}) => call("discover_external_streams", params)
  return { ...client, call, discover, replyTo, told }
})

const pass = (seconds: number) =>
  Effect.forEach(Array.from({ length: seconds }), () => Effect.andThen(TestClock.adjust("1 second"), settle), {
    discard: true
  })

/** 253 addresses where nobody is, and one where a drone is. */
const skydio = Effect.gen(function* () {
  const { peers, rtspCameras } = yield* TestGround
  for (let last = 1; last < 255; last++) if (last !== 77) yield* peers.silence(`192.168.42.${last}`)
  yield* rtspCameras.start("192.168.42.77", 5554)
  return yield* rtspCameras.start("192.168.42.77", 6554)
})

const onvifOnly = { skydio_enabled: false, force_rescan: true }

/** An ONVIF camera that answers who asks all, with its streams. */
const onvifCamera = Effect.fnUntraced(function* (address: string, played: Parameters<typeof playCamera>[0] = {}) {
  const { neighbours } = yield* TestGround
  const camera = playCamera(played)
  yield* neighbours.serve(address, 80, camera.answer)
  yield* neighbours.listen(address, (probe) => {
    const relatesTo = /MessageID>([^<]+)</.exec(probe)?.[1] ?? ""
    const words = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header><a:RelatesTo>${relatesTo}</a:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/Front%20door</d:Scopes><d:XAddrs>http://10.9.9.9/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>`
    return [{ words, after: 100 }]
  })
  return camera
})

describe("discover_external_streams", () => {
  onFakes(
    "finds a drone among 253 silent addresses in less than five seconds, and tells how far it is",
    Effect.gen(function* () {
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

describe("an ONVIF camera", () => {
  onFakes(
    "is found, at the address that it answered from",
    Effect.gen(function* () {
      yield* onvifCamera("192.168.1.64", { host: "10.9.9.9" })
      const { discover } = yield* clientAs("operator")
      const { result } = yield* discover(onvifOnly)
      assert.deepEqual(result.errors, [])
      const [stream, ...others] = result.onvif_streams
      assert.deepEqual(others, [])
      assert.deepInclude(stream, {
        url: "http://192.168.1.64/onvif/device_service",
        type: "onvif",
        name: "Front door",
        status: "DISCOVERED",
        capabilities: ["jpeg", "h264", "1920x1080"]
      })
    })
  )

  onFakes(
    "that wants a password is found without one being tried, and added with it",
    Effect.gen(function* () {
      const { rtspCameras } = yield* TestGround
      const camera = yield* onvifCamera("192.168.1.64", { user: { name: "admin", password: "w/rd" }, host: "10.9.9.9" })
      const rtsp = yield* rtspCameras.start("192.168.1.64", 554)
      yield* rtsp.disturb({ login: { user: "admin", password: "w/rd", way: "MD5" } })
      const { call, discover } = yield* clientAs("operator")
      const { result } = yield* discover(onvifOnly)
      assert.deepEqual(result.errors, [
        "http://192.168.1.64/onvif/device_service: it wants a user and a password; add it with them"
      ])
      assert.strictEqual(result["total_found"], 1)
      const added = yield* call("add_external_stream", {
        stream_url: "http://admin:w%2Frd@192.168.1.64/onvif/device_service",
        stream_name: "Front door"
      })
      assert.deepInclude(added.result, { device: "camera0", stream_type: "onvif", status: "ADDED" })
      assert.notInclude(JSON.stringify(added), "w%2Frd")
      assert.include(rtsp.requests().join(), "DESCRIBE rtsp://192.168.1.64:554/p1?a=1&b=2")
      assert.strictEqual(rtsp.rejections(), 0)
      assert.notInclude(JSON.stringify(camera.seen.requests), "w/rd")
      // who comes for its stream waits for RTSP alone: where it is was asked just now
      const asked = camera.seen.calls.length
      const { result: started } = yield* call("start_streaming", { device: "camera0" })
      assert.deepInclude(started, { status: "STARTED" })
      assert.include(rtsp.requests().join(), "PLAY")
      assert.strictEqual(camera.seen.calls.length, asked)
      const wrong = yield* call("add_external_stream", {
        stream_url: "http://admin:wrong@192.168.1.64/onvif/device_service2",
        stream_name: "Back door"
      })
      assert.deepInclude(wrong.error?.data, { dependency: "camera", reason: "AUTH_FAILED" })
    })
  )

  onFakes(
    "has its name again at another address, by its serial number",
    Effect.gen(function* () {
      const { rtspCameras } = yield* TestGround
      const { call } = yield* clientAs("operator")
      const urlAt = (address: string) => `http://admin:word@${address}/onvif/device_service`
      const addAt = (address: string) =>
        Effect.gen(function* () {
          yield* onvifCamera(address, { user: { name: "admin", password: "word" } })
          yield* rtspCameras.start(address, 554)
          const { result } = yield* call("add_external_stream", { stream_url: urlAt(address), stream_name: "Gate" })
          return result["device"]
        })
      assert.strictEqual(yield* Effect.scoped(addAt("192.168.1.64")), "camera0")
      yield* call("remove_external_stream", { stream_url: urlAt("192.168.1.64") })
      const other = "rtsp://192.168.1.99/live"
      yield* rtspCameras.start("192.168.1.99", 554)
      const { result } = yield* call("add_external_stream", { stream_url: other, stream_name: "Door" })
      assert.strictEqual(result["device"], "camera1")
      assert.strictEqual(yield* addAt("192.168.1.65"), "camera0")
    })
  )

  onFakes(
    "that may not be gone to is not gone to, whoever says that it is there",
    Effect.gen(function* () {
      const camera = yield* onvifCamera("169.254.169.254")
      const { discover } = yield* clientAs("operator")
      const { result } = yield* discover(onvifOnly)
      assert.deepEqual(result.discovered_streams, [])
      assert.deepEqual(result.errors, ["6 answers were dropped: from outside the networks that were asked"])
      assert.deepEqual(camera.seen.calls, [])
    })
  )
})

describe("an ONVIF camera that was added", () => {
  const device = "http://192.168.1.64/onvif/device_service"
  const faultIn = (reply: Reply) => reply.result["fault"]

  onFakes(
    "has a fault without its address where it is off, and where it takes longer than five seconds to say where its stream is",
    Effect.gen(function* () {
      const { neighbours, rtspCameras } = yield* TestGround
      yield* rtspCameras.start("192.168.1.64", 554)
      const { call } = yield* clientAs("operator")
      yield* call("add_external_stream", { stream_url: device, stream_name: "Gate" })
      const status = Effect.map(call("get_camera_status", { device: "camera0" }), faultIn)
      assert.deepInclude(yield* status, { kind: "UNREACHABLE", detail: "there is no such machine in its network" })
      // each answer comes in time, all of them do not
      const { answer, seen } = playCamera({})
      const slowly = (request: Parameters<typeof answer>[0]) => Effect.delay(answer(request), "2500 millis")
      yield* neighbours.serve("192.168.1.64", 80, slowly)
      yield* pass(60)
      assert.isNotEmpty(seen.calls)
      assert.deepInclude(yield* status, { kind: "UNREACHABLE", detail: "it does not answer" })
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
