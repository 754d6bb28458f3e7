import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestGround } from "../../testing/TestGround.ts"
import { onFakes } from "../support/App.ts"
import { playCamera, type PlayedCamera } from "../support/OnvifCamera.ts"
import { listeningClient } from "../support/Story.ts"

const address = "192.168.1.64"
const admin = { name: "admin", password: "word" }

/** An ONVIF camera that wants this user, and whose RTSP wants that one;  */
const startCamera = Effect.fnUntraced(function* (rtspUser: string, instead: PlayedCamera["instead"] = {}) {
  const { neighbours, rtspCameras } = yield* TestGround
  yield* neighbours.serve(address, 80, playCamera({ user: admin, instead }).answer)
  const rtsp = yield* rtspCameras.start(address)
  yield* rtsp.disturb({ login: { user: rtspUser, password: admin.password, way: "MD5" } })
  const client = yield* listeningClient("operator")
  const add = (stream_url: string) => client.call("add_external_stream", { stream_url, stream_name: "G" })
  const refusal = (stream_url: string) => client.error("add_external_stream", { stream_url, stream_name: "G" })
  return { add, refusal, rtsp }
})

const device = `http://admin:word@${address}/onvif/device_service`

describe("the account of an ONVIF camera", () => {
  onFakes(
    "serves for its stream, too, and what the camera puts into the stream's address is not used",
    Effect.gen(function* () {
      const { add, rtsp } = yield* startCamera("admin", {
        GetStreamUri: (answer) => answer.replace("rtsp://", "rtsp://other:secret@")
      })
      assert.include(yield* add(device), { device: "camera0", stream_type: "onvif" })
      assert.strictEqual(rtsp.rejections(), 0)
      assert.notInclude(rtsp.requests().join(), "secret")
    })
  )

  onFakes(
    "that its RTSP refuses is told so with what to do, and the stream's own URL with its own user works",
    Effect.gen(function* () {
      const { add, refusal } = yield* startCamera("viewer")
      const { data = {} } = (yield* refusal(device)) ?? {}
      assert.include(data, { dependency: "camera", reason: "AUTH_FAILED" })
      assert.match(JSON.stringify(data), /its stream \(RTSP\) is asked with the user of its ONVIF service/)
      assert.include(yield* add(`rtsp://viewer:word@${address}/p1`), { device: "camera0", stream_type: "generic_rtsp" })
    })
  )
})
