import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import { millisSince } from "../ground/Time.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi, type MediaMtxError, type PathState } from "../process/MediaMtxApi.ts"
import type { Codec, LiveStream, Run, StreamState } from "./LiveStream.ts"
import { Paths } from "./Paths.ts"
import { Streams } from "./Streams.ts"

/** MediaMTX answers within milliseconds. */
const patience = Duration.seconds(1)

/** A camera's stream as it is now. */
export interface StreamStatus {
  readonly camera: CameraId
  readonly state: "ACTIVE" | "INACTIVE" | "ERROR" | "STARTING" | "STOPPING"
  /** why it is not ACTIVE, or last was not */
  readonly reason?: string
  /** the stream, while somebody needs it */
  readonly stream: LiveStream | undefined
  readonly run: Run | undefined
  readonly codec: Codec | undefined
  /** MediaMTX's word on the camera's path; none of an idle one's, and none while MediaMTX does not run */
  readonly path: PathState | undefined
  /** MediaMTX has the path, with frames or without */
  readonly hasPath: boolean
  /** on average since MediaMTX has the stream */
  readonly bitsPerSecond: number
  /** epoch milliseconds at which a stream of the camera last began; undefined: never in this run of the service */
  readonly lastStart: number | undefined
}

/** What is known of the cameras' streams, for all who tell of them. */
export class Status extends Context.Service<
  Status,
  {
    /** MediaMTX is asked only while the camera has a stream; what it does not say is not known, and no zero */
    readonly of: (camera: CameraId) => Effect.Effect<StreamStatus, DependencyFailed>
    /** the same of many, with one question to MediaMTX */
    readonly ofAll: (cameras: ReadonlyArray<CameraId>) => Effect.Effect<ReadonlyArray<StreamStatus>, DependencyFailed>
    /** as far as it is known without MediaMTX, from memory */
    readonly stateOf: (camera: CameraId) => StreamStatus["state"]
  }
>()("camera-service/stream/Status") {
  static readonly layer = Layer.effect(
    Status,
    Effect.gen(function* () {
      const streams = yield* Streams
      const paths = yield* Paths
      const api = yield* MediaMtxApi
      const mediaMtx = yield* MediaMtx

      /** What MediaMTX says; `none` while it does not run, which is the truth then. */
      const asked = <A>(question: Effect.Effect<A, MediaMtxError>, none: A): Effect.Effect<A, DependencyFailed> =>
        Effect.suspend(() =>
          SubscriptionRef.getUnsafe(mediaMtx.state)._tag === "Running"
            ? question.pipe(
                Effect.timeout(patience),
                Effect.mapError(
                  () => new DependencyFailed({ dependency: "mediamtx", detail: "MediaMTX does not answer" })
                )
              )
            : Effect.succeed(none)
        )

      const statusOf = Effect.fnUntraced(function* (camera: CameraId, path: PathState | undefined) {
        const stream = streams.current(camera)
        const state = stream === undefined ? undefined : SubscriptionRef.getUnsafe(stream.state)
        const ready = state?._tag === "Ready" ? state : undefined
        const millis = ready === undefined ? 0 : yield* millisSince(ready.since)
        return {
          camera,
          ...stateOf(stream?.run, state, path?.ready === true),
          stream,
          run: stream?.run,
          codec: ready?.codec,
          path,
          hasPath: paths.exists(camera),
          bitsPerSecond: millis > 0 ? Math.round(((path?.bytesReceived ?? 0) * 8000) / millis) : 0,
          lastStart: streams.lastStart(camera)
        } satisfies StreamStatus as StreamStatus
      })

      return Status.of({
        of: Effect.fn("Status.of")(function* (camera: CameraId) {
          const isIdle = streams.current(camera) === undefined
          const path = isIdle ? Option.none() : yield* asked(api.getPath(camera), Option.none())
          return yield* statusOf(camera, Option.getOrUndefined(path))
        }),

        ofAll: Effect.fn("Status.ofAll")(function* (cameras: ReadonlyArray<CameraId>) {
          const running = cameras.some((camera) => streams.current(camera) !== undefined)
          const found = running ? yield* asked(api.listPaths, []) : []
          const byName = new Map(found.map((path) => [path.name, path]))
          return yield* Effect.forEach(cameras, (camera) => statusOf(camera, byName.get(camera)))
        }),

        stateOf: (camera) => {
          const stream = streams.current(camera)
          return stateOf(stream?.run, stream && SubscriptionRef.getUnsafe(stream.state), false).state
        }
      })
    })
  )
}

/** `hasFrames`: MediaMTX has the stream, and so have viewers, which the one who started it may be yet to hear. */
const stateOf = (
  run: Run | undefined,
  state: StreamState | undefined,
  hasFrames: boolean
): Pick<StreamStatus, "state" | "reason"> => {
  switch (state?._tag) {
    case undefined:
      return { state: "INACTIVE" }
    case "Starting":
      // a camera's own bit stream is none that viewers are to rely on before it has been read
      if (hasFrames && run !== undefined && run.making.encoder.name !== "copy") return { state: "ACTIVE" }
      return { state: "STARTING", ...(state.reason === undefined ? {} : { reason: state.reason }) }
    case "Ready":
      return { state: "ACTIVE" }
    case "Failing":
      return { state: "ERROR", reason: state.reason }
    case "Stopping":
      return { state: "STOPPING" }
  }
}
