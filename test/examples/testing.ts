/**
 * A test of a client, by any test runner or none: the service is in this process, and needs no camera, FFmpeg or MediaMTX.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CameraClient } from "camera-service-client/client"
import openrpc from "camera-service-client/openrpc.json" with { type: "json" }
import { CameraRpcs } from "camera-service-client/schema"
import { NotFound } from "camera-service-client/schema/Errors"
import { TestService } from "camera-service-client/testing"

const test = Effect.gen(function* () {
  const service = yield* TestService.make({ recording: { resume_seconds: 5 } })
  const client = yield* CameraClient.make({ url: service.url, token: service.token("operator") })
  const missing = yield* Effect.flip(client.call.get_camera_status({ device: "camera0" }))
  yield* Console.log(missing instanceof NotFound, missing.message)

  const camera = yield* service.plug({ name: "Front door", serial: "A1" })
  yield* client.call.start_recording({ device: camera.device })
  yield* service.move("1 minute")
  yield* camera.freeze
  const frozen = client.notifications.pipe(
    Stream.filter(({ method, params }) => method === "camera_status_update" && params.fault?.kind === "FROZEN"),
    Stream.runHead
  )
  const [told] = yield* Effect.all([frozen, service.move("10 seconds")], { concurrency: "unbounded" })
  yield* camera.unplug
  const { cameras } = yield* client.call.get_camera_list({})
  yield* Console.log(Option.isSome(told), cameras[0]?.status)
  yield* Console.log(openrpc.methods.every(({ name }) => CameraRpcs.requests.has(name)))
})

await Effect.runPromise(Effect.scoped(test))
