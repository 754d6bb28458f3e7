import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import type { Facts } from "../facts/Facts.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi, type MediaMtxError, MediaMtxRefused } from "../process/MediaMtxApi.ts"
import { awaitRunning } from "../process/MediaMtxTrouble.ts"
import type { RecorderFailed } from "../process/RecorderFailure.ts"
import type { WrittenFormat } from "./CameraPath.ts"
import { KeyframeRequests } from "./KeyframeRequests.ts"
import { PathTable } from "./PathTable.ts"

/** How long a recording may wait for a MediaMTX that is coming back. */
const patience = Duration.seconds(5)

const mediaMtxFailed = (detail: string) => new DependencyFailed({ dependency: "mediamtx", detail })

/** MediaMTX has a recorder for each path: here it is switched. */
export class PathRecorders extends Context.Service<
  PathRecorders,
  {
    /**
     * Switches the path's recorder on (in this format) or off; off returns when the recorder has closed its file. A failure
     * to switch it off says that it may still write: that is tried on until it is off.
     */
    readonly record: (camera: CameraId, format: WrittenFormat | undefined) => Effect.Effect<void, DependencyFailed>
    /** what MediaMTX says of those that could not write */
    readonly facts: Facts<RecorderFailed>
  }
>()("camera-service/stream/PathRecorders") {
  static readonly layer = Layer.effect(
    PathRecorders,
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const mediaMtx = yield* MediaMtx
      const devices = yield* Devices
      const settings = yield* Settings
      const table = yield* PathTable
      const keyframes = yield* KeyframeRequests
      const { managed } = settings.boot.mediamtx

      const running = Effect.timeoutOrElse(awaitRunning(mediaMtx), {
        duration: patience,
        orElse: () => Effect.fail(mediaMtxFailed("MediaMTX is not running"))
      })

      const isAnothers = (camera: CameraId) => table.records.get(camera)?.madeBy === "another"
      const write = (camera: CameraId) =>
        Effect.suspend((): Effect.Effect<void, MediaMtxError> => {
          if (SubscriptionRef.getUnsafe(table.actual).has(camera)) return table.replace(camera)
          return isAnothers(camera) ? Effect.fail(foreign) : table.add(camera)
        }).pipe(
          table.alone,
          Effect.mapError(({ detail }) => mediaMtxFailed(detail))
        )

      const switchOn = Effect.fnUntraced(function* (camera: CameraId, format: WrittenFormat) {
        // that it came may not have been told here yet
        const known = Effect.mapError(devices.get(camera), () => mediaMtxFailed("the camera is not known any more"))
        const before = table.desired(camera) ?? (yield* Effect.as(known, table.unused()))
        table.desire(camera, { ...before, format, recording: liveNow(settings).recording })
        yield* running.pipe(
          Effect.andThen(write(camera)),
          // MediaMTX writes from the next one on
          Effect.andThen(keyframes.ask(camera)),
          Effect.onError(() =>
            Effect.sync(() => {
              const now = table.desired(camera)
              if (now === undefined) return
              table.desire(camera, { ...now, format: before.format, recording: before.recording })
            })
          )
        )
      })

      const switchOff = Effect.fnUntraced(function* (camera: CameraId) {
        // a camera that was forgotten meanwhile has no path any more, nor is it to get one
        const before = table.desired(camera)
        if (before === undefined) return
        table.desire(camera, { ...before, format: undefined })
        const { _tag } = yield* SubscriptionRef.get(mediaMtx.state)
        // our own that does not run is gone, and its recorders with it; one that has no such path of ours records nothing there
        if (managed ? _tag !== "Running" : isAnothers(camera)) return
        yield* write(camera).pipe(
          // answered by the path itself, after the change: its recorder has closed by then
          Effect.andThen(Effect.mapError(api.getPath(camera), ({ detail }) => mediaMtxFailed(detail))),
          Effect.tapError((error) =>
            Effect.andThen(
              Queue.offer(table.again, true),
              // who asked says so in the end
              Effect.logDebug("a recorder could not be switched off yet", error)
            )
          )
        )
      })

      const record = Effect.fn("PathRecorders.record")(function* (camera: CameraId, format: WrittenFormat | undefined) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        return yield* format === undefined ? switchOff(camera) : switchOn(camera, format)
      })

      return PathRecorders.of({ record, facts: mediaMtx.facts })
    })
  )
}

const foreign = new MediaMtxRefused({ status: 400, detail: "it has a path of this name that is not ours" })
