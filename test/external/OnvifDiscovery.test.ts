import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestGround } from "../../testing/TestGround.ts"
import { onFakes } from "../support/App.ts"
import { playCamera } from "../support/OnvifCamera.ts"
import { clientAs, onvifCamera, onvifOnly, pass, type Reply } from "./DiscoveryBench.ts"

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
