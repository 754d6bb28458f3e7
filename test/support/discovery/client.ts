import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { eventually } from "../Eventually.ts"
import { clientOf, startReady, statusOf } from "../Service.ts"

/** Looks for streams from one machine, and adds what it finds; prints what it was told as JSON, and the service's log. */
const program = Effect.gen(function* () {
  const service = yield* startReady({
    cameras: 0,
    isBuilt: true,
    settings: { DISCOVERY_SKYDIO_RANGES: "192.168.42.10" }
  })
  const { call } = yield* clientOf(service, { role: "operator" })
  // its web server is the last that it starts
  yield* eventually(
    "the camera is on",
    Effect.map(statusOf("http://192.168.42.10:8080/"), (status) => status > 0),
    "20 seconds"
  )
  const discovered = yield* call.discover_external_streams({})
  const added = yield* call.add_external_stream({
    stream_url: "http://admin:canary-of-a-camera@192.168.42.10:8080/onvif/device_service",
    stream_name: "Front door"
  })
  const camera = yield* call.get_camera_status({ device: added.device })
  const idle = yield* call.take_snapshot({ device: added.device })
  yield* call.start_streaming({ device: added.device })
  const live = yield* call.take_snapshot({ device: added.device, max_age_ms: 5000 })
  yield* Console.log(JSON.stringify({ discovered, added, camera, idle, live, log: service.stderr() }))
})

await Effect.runPromise(Effect.scoped(program))
