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
import { MediaMtxApi, type MediaMtxError } from "../process/MediaMtxApi.ts"
import type { PathState } from "../process/MediaMtxReplies.ts"
import type { Codec, LiveStream, Run, StreamState } from "./LiveStream.ts"
import { Paths } from "./Paths.ts"
import { type StreamName, transcodeOf } from "./StreamName.ts"
import { Streams } from "./Streams.ts"

/** MediaMTX answers within milliseconds. */
const patience = Duration.seconds(1)

/** A stream as it is now. */
export interface StreamStatus {
  readonly name: StreamName
  readonly state: "ACTIVE" | "INACTIVE" | "ERROR" | "STARTING" | "STOPPING"
  /** why it is not ACTIVE, or last was not */
  readonly reason?: string
  /** the stream, while somebody needs it */
  readonly stream: LiveStream | undefined
  readonly run: Run | undefined
  readonly codec: Codec | undefined
  /** MediaMTX's word on its path; none of an idle one's, and none while MediaMTX does not run */
  readonly path: PathState | undefined
  /** who reads its path, or its transcode's: our FFmpeg that makes that is none of them */
  readonly viewers: number
  /** MediaMTX has the path, with frames or without */
  readonly hasPath: boolean
  /** on average since MediaMTX has the stream */
  readonly bitsPerSecond: number
  /** epoch milliseconds at which it last began; undefined: never in this run of the service */
  readonly lastStart: number | undefined
}

/** What is known of the cameras' streams, for all who tell of them. */
export class Status extends Context.Service<
  Status,
  {
    /** MediaMTX is asked only while the camera has a stream; what it does not say is not known, and no zero */
    readonly of: (name: StreamName) => Effect.Effect<StreamStatus, DependencyFailed>
    /** the same of many cameras' own, with one question to MediaMTX */
    readonly ofAll: (cameras: ReadonlyArray<CameraId>) => Effect.Effect<ReadonlyArray<StreamStatus>, DependencyFailed>
    /** as far as it is known without MediaMTX, from memory */
    readonly stateOf: (name: StreamName) => Pick<StreamStatus, "state" | "reason">
  }
>()("camera-service/stream/Status") {
  static readonly layer = Layer.effect(
    Status,
    Effect.gen(function* () {
      const streams = yield* Streams
      const { exists } = yield* Paths
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

      const isRunning = (name: StreamName) => streams.current(name) !== undefined
      const viewersOf = (name: StreamName, paths: ReadonlyMap<string, PathState>): number => {
        const transcode = transcodeOf(name)
        const made = streams.current(transcode)
        const isRead = made !== undefined && SubscriptionRef.getUnsafe(made.state)._tag === "Ready"
        const [own = 0, others = 0] = [paths.get(name)?.readers, paths.get(transcode)?.readers]
        return Math.max(0, own - (isRead ? 1 : 0)) + others
      }

      const statusOf = Effect.fnUntraced(function* (name: StreamName, paths: ReadonlyMap<string, PathState>) {
        const stream = streams.current(name)
        const path = paths.get(name)
        const state = stream === undefined ? undefined : SubscriptionRef.getUnsafe(stream.state)
        const ready = state?._tag === "Ready" ? state : undefined
        const millis = ready === undefined ? 0 : yield* millisSince(ready.since)
        return {
          name,
          ...stateOf(stream?.run, state, path?.ready === true),
          stream,
          run: stream?.run,
          codec: ready?.codec,
          path,
          viewers: viewersOf(name, paths),
          hasPath: exists(name),
          bitsPerSecond: millis > 0 ? Math.round(((path?.bytesReceived ?? 0) * 8000) / millis) : 0,
          lastStart: streams.lastStart(name)
        } satisfies StreamStatus as StreamStatus
      })

      return Status.of({
        of: Effect.fn("Status.of")(function* (name: StreamName) {
          const names = [name, transcodeOf(name)].filter(isRunning)
          const found = yield* Effect.forEach(names, (one) => asked(api.getPath(one), Option.none()))
          return yield* statusOf(name, byName(found.flatMap((path) => Option.toArray(path))))
        }),

        ofAll: Effect.fn("Status.ofAll")(function* (cameras: ReadonlyArray<CameraId>) {
          const paths = byName(cameras.some(isRunning) ? yield* asked(api.listPaths, []) : [])
          return yield* Effect.forEach(cameras, (camera) => statusOf(camera, paths))
        }),

        stateOf: (name) => {
          const stream = streams.current(name)
          return stateOf(stream?.run, stream && SubscriptionRef.getUnsafe(stream.state), false)
        }
      })
    })
  )
}

const byName = (paths: ReadonlyArray<PathState>): ReadonlyMap<string, PathState> =>
  new Map(paths.map((path) => [path.name, path]))

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
