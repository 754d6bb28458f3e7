import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { Role } from "../../schema/Auth.ts"
import type { Camera } from "../../schema/Camera.ts"
import { CameraClient } from "../../schema/client/CameraClient.ts"
import { TestService } from "../../testing/TestService.ts"

/** A service, and a client of it that waits for what it is told. */
const bench = Effect.fnUntraced(function* (role: Role = "operator") {
  const service = yield* TestService.make()
  const client = yield* CameraClient.make({ url: service.url, token: yield* service.token(role, "10 minutes") })
  yield* client.call.get_system_status({})
  const told = (isIt: (camera: Camera) => boolean) =>
    client.notifications.pipe(
      Stream.filter((one) => one.method === "camera_status_update" && isIt(one.params as Camera)),
      Stream.runHead,
      Effect.forkScoped({ startImmediately: true })
    )
  return { service, call: client.call, told }
})

describe("the test service", () => {
  it.live("is a whole service: a camera is plugged in, looked at, recorded and downloaded", () =>
    Effect.gen(function* () {
      const { call, service } = yield* bench()
      const { device } = yield* service.plug({ name: "UVC Camera" })
      assert.deepInclude((yield* call.get_camera_list({})).cameras[0], { device, name: "UVC Camera" })
      const picture = yield* call.take_snapshot({ device })
      assert.strictEqual(picture.tier_name, "activated")
      yield* call.start_recording({ device })
      yield* service.move("10 seconds")
      const recorded = yield* call.stop_recording({ device })
      assert.isAtLeast(recorded.duration, 10)
      const [file] = (yield* call.list_recordings({})).files
      assert.strictEqual(file?.filename, recorded.filename)
      const health = yield* Effect.promise(() => fetch(`${service.health}/health/ready`))
      assert.strictEqual(health.status, 200)
    })
  )

  it.live("tells of a camera that freezes while it is needed, and of one that is pulled out and put back", () =>
    Effect.gen(function* () {
      const { call, service, told } = yield* bench()
      const camera = yield* service.plug({ name: "UVC Camera", serial: "A1" })
      yield* call.start_streaming({ device: camera.device })
      const frozen = yield* told(({ fault }) => fault?.kind === "FROZEN")
      yield* camera.freeze
      yield* service.move("5 seconds")
      yield* Fiber.join(frozen)
      yield* camera.thaw
      const gone = yield* told(({ status }) => status === "DISCONNECTED")
      yield* camera.unplug
      yield* Fiber.join(gone)
      const back = yield* told(({ status }) => status === "CONNECTED")
      yield* camera.replug
      yield* Fiber.join(back)
    })
  )

  it.live("has a clock of its own: a token expires when it is moved, and connections outlive that", () =>
    Effect.gen(function* () {
      const { call, service } = yield* bench("viewer")
      yield* service.move("9 minutes")
      yield* call.get_camera_list({})
      yield* service.move("2 minutes")
      const refused = yield* Effect.flip(call.get_camera_list({}))
      assert.strictEqual(refused.message, "Not authenticated: the token has expired; call authenticate with a new one.")
    })
  )
})
