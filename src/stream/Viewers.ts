import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicMillis } from "../ground/Time.ts"
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
      /** monotonic milliseconds at which a reader was last let in, while there are readers or one is on its way */
      const admittedAt = new Map<CameraId, number>()

      /** Readers there are, or undefined: MediaMTX did not say. */
      const readersOf = (camera: CameraId) =>
        api.getPath(camera).pipe(
          Effect.map((path): number | undefined => (Option.isSome(path) ? path.value.readers : 0)),
          Effect.orElseSucceed(() => undefined)
        )

      /** Gives when the last one of them was let in. A reader shows on its path only once it plays. */
      const untilNobodyReads = Effect.fnUntraced(function* (camera: CameraId) {
        for (;;) {
          yield* Effect.sleep(lookEvery)
          const readers = yield* readersOf(camera)
          const admitted = admittedAt.get(camera) ?? 0
          const grace = Duration.toMillis(liveNow(settings).streams.start_timeout_seconds)
          if (readers === 0 && (yield* monotonicMillis) - admitted > grace) return admitted
        }
      })

      // no span of its own: it would end when the last reader has gone, hours later
      const watch = Effect.fnUntraced(
        function* (camera: CameraId) {
          for (;;) {
            const last = yield* Effect.scoped(Effect.andThen(streams.lease(camera, "viewer"), untilNobodyReads(camera)))
            // the lease's end may take its time: who came meanwhile needs another
            if (admittedAt.get(camera) === last) return
          }
        },
        Effect.catch((error) => Effect.logDebug("a reader came for a camera that is not there", error)),
        (watching, camera) =>
          Effect.ensuring(
            watching,
            Effect.sync(() => admittedAt.delete(camera))
          )
      )

      const admit = (camera: CameraId) =>
        Effect.gen(function* () {
          admittedAt.set(camera, yield* monotonicMillis)
          yield* FiberMap.run(watching, camera, watch(camera), { onlyIfMissing: true })
        }).pipe(Effect.asVoid)

      return Viewers.of({ admit })
    })
  )
}
