import * as Context from "effect/Context"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { Streams } from "./Streams.ts"

/** How often MediaMTX is asked who reads, while somebody does. */
const lookEvery = Duration.seconds(1)

/** The readers that come straight to MediaMTX (RTSP, HLS, WebRTC): each camera that has some holds one viewer's lease. */
export class Viewers extends Context.Service<
  Viewers,
  {
    /** an authorized reader comes: its stream is started beside, and held until no reader is left; returns at once */
    readonly admit: (camera: CameraId) => Effect.Effect<void>
  }
>()("camera-service/stream/Viewers") {
  static readonly layer = Layer.effect(
    Viewers,
    Effect.gen(function* () {
      const settings = yield* Settings
      const streams = yield* Streams
      const api = yield* MediaMtxApi
      const watching = yield* FiberMap.make<CameraId>()
      /** when a reader was last let in: it shows among the path's readers only once it plays */
      const admittedAt = new Map<CameraId, number>()

      const watch = Effect.fn("Viewers.watch")(
        function* (camera: CameraId) {
          yield* streams.lease(camera, "viewer")
          for (;;) {
            yield* Effect.sleep(lookEvery)
            const path = yield* Effect.orElseSucceed(api.getPath(camera), Option.none)
            const readers = Option.isSome(path) ? path.value.readers : 0
            const waited = (yield* Clock.currentTimeMillis) - (admittedAt.get(camera) ?? 0)
            const grace = Duration.toMillis(liveNow(settings).streams.start_timeout_seconds)
            if (readers === 0 && waited > grace) return
          }
        },
        Effect.scoped,
        Effect.catch((error) => Effect.logDebug("a reader came for a camera that is not there", error))
      )

      const admit = (camera: CameraId) =>
        Effect.gen(function* () {
          admittedAt.set(camera, yield* Clock.currentTimeMillis)
          yield* FiberMap.run(watching, camera, watch(camera), { onlyIfMissing: true })
        }).pipe(Effect.asVoid)

      return Viewers.of({ admit })
    })
  )
}
