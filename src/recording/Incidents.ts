import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import type { Recording } from "./Recording.ts"
import type { Followed, Segment } from "./Segments.ts"

/**
 * What happens to a recording. Began: MediaMTX writes into a new file. Lost: the stream's FFmpeg ended, and MediaMTX has
 * closed the segment. Works: the camera is there, without a fault.
 */
export type Incident =
  | { readonly _tag: "Began"; readonly segment: Segment }
  | { readonly _tag: "Lost"; readonly segment: Segment | undefined; readonly reason: string }
  | { readonly _tag: "Unplugged" }
  | { readonly _tag: "Faulty"; readonly detail: string }
  | { readonly _tag: "Works" }

/** MediaMTX closes the file within milliseconds after its publisher is gone. */
const poll = Duration.millis(10)

/** Watches cameras and their streams for recordings. */
export const makeIncidents = Effect.gen(function* () {
  const devices = yield* Devices
  const api = yield* MediaMtxApi

  /** The camera as it comes, goes, fails and recovers, first as it is now. */
  const conditions = (camera: CameraId): Stream.Stream<Device> =>
    devices.changes.pipe(
      Stream.filter(({ id }) => id === camera),
      Stream.changesWith((before, now) => before.status === now.status && before.fault === now.fault)
    )

  /** Waits until the camera has been away for so long without a break; one that is there with a fault is not away. */
  const awayFor = (camera: CameraId, time: Duration.Duration): Effect.Effect<void> =>
    conditions(camera).pipe(
      Stream.switchMap(({ status }) =>
        status === "DISCONNECTED" ? Stream.fromEffect(Effect.sleep(time)) : Stream.empty
      ),
      Stream.runHead,
      Effect.asVoid
    )

  /** MediaMTX has read what the publisher sent to its end: it closes the file before it says that the path is not ready. */
  const publisherGone = (stream: LiveStream) =>
    Effect.raceFirst(
      api.getPath(stream.camera).pipe(
        Effect.map((path) => Option.isNone(path) || !path.value.ready),
        // a MediaMTX that is down writes nothing
        Effect.orElseSucceed(() => true),
        Effect.repeat({ until: (isGone) => isGone, schedule: Schedule.spaced(poll) })
      ),
      // the next one publishes, so this one is gone
      SubscriptionRef.changes(stream.state).pipe(
        Stream.filter(({ _tag }) => _tag === "Ready"),
        Stream.runHead
      )
    )

  /** Tells all that happens to a recording that has its first segment, until its scope closes. */
  const watch = Effect.fnUntraced(function* (
    { camera, scope, segments }: Recording,
    stream: LiveStream,
    { next }: Followed,
    happened: (incident: Incident) => Effect.Effect<unknown>
  ) {
    const begun = next.pipe(
      Effect.flatMap((segment) => {
        segments.push(segment)
        return happened({ _tag: "Began", segment })
      }),
      Effect.catch((error) => Effect.logError("a segment could not be looked after", error)),
      Effect.forever
    )

    // what the state says now may be of an FFmpeg before the one that wrote the first segment
    let restarts = stream.restarts
    const lost = Stream.runForEach(SubscriptionRef.changes(stream.state), (state) => {
      if (!("reason" in state) || state.reason === undefined || stream.restarts === restarts) return Effect.void
      restarts = stream.restarts
      const { reason } = state
      const segment = segments.at(-1)
      return Effect.andThen(publisherGone(stream), happened({ _tag: "Lost", segment, reason }))
    })

    const condition = Stream.runForEach(conditions(camera), (device) => happened(incidentOf(device)))

    for (const source of [begun, lost, condition]) yield* Effect.forkIn(source, scope)
  })

  return { awayFor, watch }
})

const incidentOf = ({ fault, status }: Device): Incident => {
  if (status === "DISCONNECTED") return { _tag: "Unplugged" }
  return fault === undefined ? { _tag: "Works" } : { _tag: "Faulty", detail: fault.detail }
}
