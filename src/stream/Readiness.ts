import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { DependencyFailed, RateLimited } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { failedBy } from "../device/Fault.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { awaitTrouble } from "../process/MediaMtxTrouble.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import type { LiveStream } from "./LiveStream.ts"

/** `Streams.awaitReady` */
export const makeAwaitReady = Effect.gen(function* () {
  const settings = yield* Settings
  const devices = yield* Devices
  const mediaMtx = yield* MediaMtx
  const api = yield* MediaMtxApi
  const refused = yield* makeRefusals
  const mediaMtxFails = Effect.flatMap(
    awaitTrouble(mediaMtx, api),
    (detail) => new DependencyFailed({ dependency: "mediamtx", detail })
  )

  return Effect.fn("Streams.awaitReady")(function* (stream: LiveStream) {
    const { limits, streams } = liveNow(settings)
    const decided = SubscriptionRef.changes(stream.state).pipe(
      Stream.filter((state) => state._tag === "Ready" || (state._tag === "Failing" && state.isCamera === true)),
      Stream.runHead,
      Effect.timeout(streams.start_timeout_seconds),
      Effect.ignore
    )
    if (SubscriptionRef.getUnsafe(stream.state)._tag !== "Ready") yield* Effect.raceFirst(decided, mediaMtxFails)
    const state = SubscriptionRef.getUnsafe(stream.state)
    if (state._tag === "Ready") return
    if (state._tag === "Starting" && state.place !== undefined) {
      const { camera } = stream
      const at_most = limits.ffmpeg_processes
      refused("limits.ffmpeg_processes", camera, "a stream got no turn in time", { camera, at_most })
      return yield* new RateLimited({
        retry_after_ms: Duration.toMillis(streams.start_timeout_seconds),
        ...(state.reason === undefined ? {} : { reason: state.reason }),
        suggestion: "stop another stream, or wait for one to end"
      })
    }
    const detail = ("reason" in state ? state.reason : undefined) ?? "the stream did not start in time"
    const isCamera = state._tag === "Failing" && state.isCamera === true
    // what is known of the camera is a reason where no run has ended with another
    const mayBeCamera = isCamera || (state._tag === "Starting" && state.reason === undefined)
    const fault = mayBeCamera ? devices.find(stream.camera)?.fault : undefined
    if (fault !== undefined) return yield* failedBy(fault)
    return yield* new DependencyFailed({ dependency: isCamera ? "camera" : "ffmpeg", detail })
  })
})
