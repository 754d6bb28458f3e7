import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { dataFolder, fakes, onFakes } from "../support/App.ts"
import { playCamera } from "../support/OnvifCamera.ts"
import { add, address, becomes, clientAs, fileOf, startCamera, streamsOf, url } from "./ExternalBench.ts"

describe("add_external_stream of a camera that was added, with another password", () => {
  const streamAs = (password: string) => `rtsp://admin:${password}@${address}/live`
  const login = (password: string) => ({ login: { user: "admin", password, way: "MD5" as const } })

  onFakes(
    "has the camera opened with it from then on: it stays the same camera, and nobody is shown it",
    Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb(login("old-canary"))
      const call = yield* clientAs("operator")
      assert.notProperty((yield* add(call, streamAs("old-canary"))).result, "credentials_replaced")
      yield* camera.disturb({ ...login("new-canary"), nonces: "changed" })
      assert.strictEqual((yield* call("start_streaming", { device: "camera0" })).error?.code, -32050)
      const { fault } = (yield* call("get_camera_status", { device: "camera0" })).result as {
        readonly fault: { readonly kind: string; readonly suggestion: string }
      }
      assert.strictEqual(fault.kind, "AUTH_FAILED")
      assert.include(fault.suggestion, "add the stream again with the right ones")

      const refused = yield* add(call, streamAs("wrong-canary"))
      assert.include(refused.error?.data, { reason: "AUTH_FAILED" })
      assert.include(yield* fileOf("secrets/external_streams.json"), "old-canary")
      const replaced = yield* add(call, streamAs("new-canary"), { stream_name: "Door" })
      assert.deepInclude(replaced.result, {
        ...{ stream_url: url, stream_name: "Gate", device: "camera0", status: "ADDED" },
        credentials_replaced: true
      })
      assert.include((yield* call("get_camera_status", { device: "camera0" })).result, { status: "CONNECTED" })
      assert.include((yield* call("start_streaming", { device: "camera0" })).result, { status: "STARTED" })
      const secrets = yield* fileOf("secrets/external_streams.json")
      assert.include(secrets, "new-canary")
      assert.notInclude(secrets, "old-canary")
      const all = [refused, replaced, yield* streamsOf(call), yield* fileOf("external_streams.json")]
      assert.notInclude(JSON.stringify(all), "canary")
      // the same once more, or none, replaces nothing
      for (const again of [streamAs("new-canary"), url]) {
        assert.strictEqual((yield* add(call, again)).error?.code, -32020)
      }
    })
  )

  onFakes(
    "replaces nothing while the camera cannot be asked",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const camera = yield* startCamera
          yield* camera.disturb(login("good"))
          yield* add(call, streamAs("good"))
        })
      )
      const { error } = yield* add(call, streamAs("slip"))
      assert.strictEqual(error?.code, -32050)
      assert.include(error?.data, { reason: "UNREACHABLE" })
      const camera = yield* startCamera
      yield* camera.disturb(login("good"))
      yield* becomes(call, "ONLINE")
      assert.strictEqual(camera.rejections(), 0)
    })
  )

  fakes.starts("is opened with it after a restart", (run) => {
    const before = Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb(login("old"))
      const call = yield* clientAs("operator")
      yield* add(call, streamAs("old"))
      yield* add(call, "rtsp://192.168.1.60/other")
      yield* camera.disturb(login("new"))
      assert.include((yield* add(call, streamAs("new"))).result, { credentials_replaced: true })
    })
    const after = Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb(login("new"))
      const call = yield* clientAs("operator")
      yield* becomes(call, "ONLINE")
      assert.strictEqual(camera.rejections(), 0)
    })
    return Effect.andThen(run(dataFolder, before), run(dataFolder, after))
  })
})

describe("a camera whose password was changed", () => {
  onFakes(
    "refuses the old one twice in five minutes at most, whoever needs it and by whatever way, and has the new one at once",
    Effect.gen(function* () {
      const { neighbours, rtspCameras } = yield* TestGround
      const rtsp = yield* rtspCameras.start(address, 554)
      const onvif = { host: address, user: { name: "admin", password: "old" } }
      const before = playCamera(onvif)
      yield* neighbours.serve(address, 80, before.answer)
      yield* rtsp.disturb({ login: { user: "admin", password: "old", way: "MD5" } })
      const call = yield* clientAs("operator")
      const device = (password: string) => `http://admin:${password}@${address}/onvif/device_service`
      const stream = (password: string) => `rtsp://admin:${password}@${address}/live`
      assert.include((yield* add(call, device("old"))).result, { device: "camera0" })
      assert.include((yield* add(call, stream("old"))).result, { device: "camera1" })
      assert.strictEqual(rtsp.rejections(), 0)

      const after = playCamera({ ...onvif, user: { name: "admin", password: "new" } })
      yield* neighbours.serve(address, 80, after.answer)
      yield* rtsp.disturb({ login: { user: "admin", password: "new", way: "MD5" }, nonces: "changed" })
      const refusals = () => rtsp.rejections() + after.seen.refusals
      for (let minute = 0; minute < 5; minute++) {
        for (const camera of ["camera0", "camera1"]) yield* call("start_streaming", { device: camera })
        yield* add(call, `rtsp://admin:old@${address}/other`)
        yield* add(call, `http://admin:old@${address}/onvif/other`)
        yield* Effect.repeat(Effect.andThen(TestClock.adjust("1 second"), settle), { times: 50 })
      }
      assert.isAtLeast(refusals(), 1)
      assert.isAtMost(refusals(), 2)
      const { error } = yield* add(call, `rtsp://admin:old@${address}/other`)
      assert.include(error?.data, { reason: "AUTH_FAILED" })

      yield* rtsp.disturb({ nonces: "kept" })
      for (const [url, camera] of [
        [device("new"), "camera0"],
        [stream("new"), "camera1"]
      ] as const) {
        yield* call("remove_external_stream", { stream_url: url })
        assert.include((yield* add(call, url)).result, { device: camera })
      }
      assert.isAtMost(refusals(), 2)
    })
  )
})
