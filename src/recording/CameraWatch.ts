import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import type { LiveStream, StreamState } from "../stream/LiveStream.ts"
import type { Incident } from "./RecordingState.ts"

/** MediaMTX closes the file within milliseconds after its publisher is gone. */
const poll = Duration.millis(10)

/** What happens to a recording's camera and to its stream. */
export class CameraWatch extends Context.Service<
  CameraWatch,
  {
    /** tells all of it for as long as the scope lives, first how it stands now */
    readonly watch: (
      stream: LiveStream,
      happened: (incident: Incident) => void
    ) => Effect.Effect<void, never, Scope.Scope>
    /** MediaMTX has read what the publisher sent to its end: it closes the file before it says that the path is not ready */
    readonly awaitClosed: (stream: LiveStream) => Effect.Effect<void>
  }
>()("camera-service/recording/CameraWatch") {
  static readonly layer = Layer.effect(
    CameraWatch,
    Effect.gen(function* () {
      const devices = yield* Devices
      const api = yield* MediaMtxApi

      const watch = Effect.fnUntraced(function* (stream: LiveStream, happened: (incident: Incident) => void) {
        let last: Device | undefined
        yield* devices.follow((device) =>
          Effect.sync(() => {
            if (device.id !== stream.camera) return
            const isNews = last?.status !== device.status || last.fault !== device.fault
            last = device
            if (isNews) happened(conditionOf(device))
          })
        )
        let isFirst = true
        let restarts = stream.restarts
        const changed = (state: StreamState): void => {
          if (state._tag === "Ready") happened({ _tag: "StreamReady" })
          const reason = "reason" in state ? state.reason : undefined
          // the same FFmpeg's end may be told twice: as its end, and as what is waited for now
          if (reason !== undefined && (isFirst || stream.restarts !== restarts)) {
            const isCameras = state._tag === "Failing" && state.isCamera === true
            const fault = isCameras ? devices.find(stream.camera)?.fault : undefined
            happened({ _tag: "StreamFailed", reason, ...(fault === undefined ? {} : { fault }) })
          }
          isFirst = false
          restarts = stream.restarts
        }
        const changes = SubscriptionRef.changes(stream.state)
        yield* Effect.forkScoped(Stream.runForEach(changes, (state) => Effect.sync(() => changed(state))))
      })

      const awaitClosed = (stream: LiveStream) =>
        api.getPath(stream.camera).pipe(
          Effect.map((path) => Option.isNone(path) || !path.value.ready),
          // one that is down writes nothing; one that does not answer for 5 s is waited for no longer: whoever makes the file
          // whole sees whether it is closed, or still grows
          Effect.orElseSucceed(() => true),
          Effect.repeat({ until: (isGone) => isGone, schedule: Schedule.spaced(poll) }),
          Effect.asVoid
        )

      return CameraWatch.of({ watch, awaitClosed })
    })
  )
}

const conditionOf = ({ fault, status }: Device): Incident => {
  if (status === "DISCONNECTED") return { _tag: "CameraUnplugged" }
  return fault === undefined ? { _tag: "CameraWorks" } : { _tag: "CameraFaulty", detail: fault.detail }
}
