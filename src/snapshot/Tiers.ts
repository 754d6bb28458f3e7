import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, RateLimited, type TierAttempt } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { millisSince, type Moment, now } from "../ground/Time.ts"
import { placeText } from "../process/Gate.ts"
import type { Picture } from "../stream/Pictures.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { ActivatedCapture } from "./ActivatedCapture.ts"
import { AddressCapture } from "./AddressCapture.ts"
import type { Capture, CaptureRequest } from "./Capture.ts"
import { DirectCapture } from "./DirectCapture.ts"
import { LiveCapture } from "./LiveCapture.ts"

/** For all of a snapshot: the tiers, and encoding anew. */
export const wholeTime = Duration.seconds(10)

/** One way to a picture, and how long it may take. */
interface Way {
  readonly capture: Capture
  readonly limit: () => Duration.Duration
}

/** A picture, and how it was had. */
interface Found {
  readonly picture: Picture
  readonly capture: Capture
  /** when it was had */
  readonly at: Moment
  /** this way, and those before it that gave none */
  readonly tried: ReadonlyArray<TierAttempt>
}

/** Makes what tries the tiers in order until one has a picture; `left`: of `wholeTime`, which none of them may exceed. */
export const makeTiers = Effect.gen(function* () {
  const settings = yield* Settings
  const devices = yield* Devices
  const refused = yield* makeRefusals
  const limits = () => liveNow(settings).snapshots
  const live: Way = { capture: yield* LiveCapture, limit: () => limits().live_timeout_seconds }
  const address = yield* AddressCapture
  const atAddress: Way = { capture: address, limit: () => limits().direct_timeout_seconds }
  const activated: Way = { capture: yield* ActivatedCapture, limit: () => limits().activated_timeout_seconds }
  const direct: Way = { capture: yield* DirectCapture, limit: () => limits().direct_timeout_seconds }
  const waysTo = (camera: CameraId): ReadonlyArray<Way> =>
    address.isFor(camera) ? [live, atAddress, activated, direct] : [live, activated, direct]

  const attempt = Effect.fnUntraced(function* (
    { capture, limit }: Way,
    request: CaptureRequest,
    left: Duration.Duration
  ) {
    const began = yield* now
    const result = yield* capture.capture(request).pipe(
      Effect.timeoutOrElse({
        duration: Duration.min(limit(), left),
        orElse: () => Effect.fail(capture.late(request.camera))
      }),
      Effect.result
    )
    const ms = Math.round(yield* millisSince(began))
    if (Result.isSuccess(result)) {
      return { tried: { tier: capture.tier, outcome: "SUCCESS", ms }, picture: result.success }
    }
    const { outcome, place } = result.failure
    return { tried: { tier: capture.tier, outcome, ms }, place }
  })

  const gotNoTurn = (camera: CameraId, place: number): RateLimited => {
    const at_most = liveNow(settings).limits.ffmpeg_processes
    refused("limits.ffmpeg_processes", camera, "a snapshot got no turn in time", { camera, at_most })
    return new RateLimited({
      retry_after_ms: Duration.toMillis(wholeTime),
      reason: placeText(place),
      suggestion: "stop a stream, or wait for one to end"
    })
  }

  return Effect.fnUntraced(function* (camera: CameraId, notBefore: number, left: Effect.Effect<Duration.Duration>) {
    const tried: Array<TierAttempt> = []
    let place: number | undefined
    for (const way of waysTo(camera)) {
      const { picture, ...outcome } = yield* attempt(way, { camera, notBefore }, yield* left)
      tried.push(outcome.tried)
      place = outcome.place
      if (picture !== undefined)
        return { picture, capture: way.capture, at: yield* now, tried } satisfies Found as Found
    }
    if (place !== undefined) return yield* gotNoTurn(camera, place)
    const { fault } = yield* devices.get(camera)
    return yield* new DependencyFailed({
      dependency: "camera",
      ...(fault === undefined ? {} : { reason: fault.kind, suggestion: fault.suggestion }),
      detail: `no way to a picture worked: ${tried.map(({ outcome }) => outcome).join("; ")}`,
      tiers_tried: tried
    })
  })
})
