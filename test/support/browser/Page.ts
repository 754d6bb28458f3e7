/** Runs in the browser: the typed client as a web page uses it. The bundle of this file is all that the page loads. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { CameraClient } from "../../../schema/client/CameraClient.ts"

const query = new URLSearchParams(location.search)

const program = Effect.gen(function* () {
  const { call, notifications } = yield* CameraClient.make({
    url: query.get("url") ?? "",
    patience: "20 seconds",
    token: Redacted.make(query.get("token") ?? "")
  })
  const told = yield* notifications.pipe(
    Stream.filter(({ method }) => method === "recording_status_update"),
    Stream.runHead,
    Effect.forkScoped({ startImmediately: true })
  )
  const { cameras } = yield* call.get_camera_list({})
  const picture = yield* call.take_snapshot({ device: "camera0" })
  const missing = yield* Effect.flip(call.get_camera_status({ device: "camera99" }))
  yield* call.start_recording({ device: "camera0" })
  yield* Effect.andThen(Fiber.join(told), call.stop_recording({ device: "camera0" }))
  return { cameras: cameras.length, width: picture.width, error: missing._tag }
})

Effect.runPromise(Effect.scoped(program)).then(
  (result) => (document.title = JSON.stringify(result)),
  (error: unknown) => (document.title = `FAILED ${String(error)}`)
)
