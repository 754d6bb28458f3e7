import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { millisSince, monotonicMillis } from "../ground/Time.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { awaitRunning } from "../process/MediaMtxTrouble.ts"
import { type EndLog, makeEndLog } from "../telemetry/EndLog.ts"
import type { Feed } from "./Feed.ts"
import { Feeds } from "./Feeds.ts"
import type { LiveStream } from "./LiveStream.ts"
import { Paths } from "./Paths.ts"
import { atLeast, pauseAfter } from "./Pauses.ts"
import { type StreamName, transcodeOf } from "./StreamName.ts"
import { TranscodedFeed } from "./TranscodedFeed.ts"
import { type Obstacle, RunEnded, runEndOf } from "./RunEnded.ts"

/** A run that MediaMTX has had for so long was steady: what ends it is no failure in a row. */
const steady = Duration.toMillis("10 seconds")

/** A camera that is dead for a day is a line in so long; one that streams well for a while is well again. */
const saidAgain = Duration.minutes(10)
const proof = Duration.minutes(1)

const isCameras = (obstacle: Obstacle | undefined): boolean =>
  obstacle !== undefined && obstacle !== "MEDIAMTX" && obstacle !== "UNPLUGGED"

/** Keeps a stream running for as long as it is needed. */
export class Supervision extends Context.Service<
  Supervision,
  {
    /** one run after the other, each with the device's permit; pauses grow between failures in a row */
    readonly run: (stream: LiveStream, device: Semaphore.Semaphore) => Effect.Effect<never>
  }
>()("camera-service/stream/Supervision") {
  static readonly layer = Layer.effect(
    Supervision,
    Effect.gen(function* () {
      const devices = yield* Devices
      const mediaMtx = yield* MediaMtx
      const paths = yield* Paths
      const feeds = yield* Feeds
      const transcoded = yield* TranscodedFeed
      /** Of cameras that refused their credentials, whichever stream showed them; `until`: monotonic milliseconds. */
      const refused = new Map<CameraId, { readonly until: number; readonly reason: string }>()
      yield* devices.facts.follow(({ _tag, camera }) =>
        Effect.sync(() => {
          const isOver = _tag === "CameraConnected" || _tag === "CameraRecovered" || _tag === "CameraForgotten"
          if (isOver) refused.delete(camera)
        })
      )
      const ends = new Map<StreamName, EndLog>()
      yield* devices.followForgotten((camera) => {
        for (const name of [camera, transcodeOf(camera)]) ends.delete(name)
      })
      const endsOf = ({ name }: LiveStream): EndLog => {
        const before = ends.get(name)
        if (before !== undefined) return before
        const made = makeEndLog((told) => Effect.logWarning("the stream's run ended", told), saidAgain)
        ends.set(name, made)
        return made
      }

      const deviceOf = (camera: CameraId) =>
        Effect.mapError(devices.get(camera), () => new RunEnded({ reason: "the camera is not known" }))

      /** Nothing is tried while the camera is away or MediaMTX is down: both tell when they are back. */
      const awaitPossible = ({ camera, name }: LiveStream): Effect.Effect<void> => {
        const connected = devices.changes.pipe(
          Stream.filter(({ id, status }) => id === camera && status !== "DISCONNECTED"),
          Stream.runHead
        )
        return Effect.andThen(connected, Effect.andThen(awaitRunning(mediaMtx), paths.awaitPath(name)))
      }

      /** A camera that is told to work again is not kept waiting. */
      const recovery = (camera: CameraId): Effect.Effect<void> =>
        devices.changes.pipe(
          Stream.filter(({ id }) => id === camera),
          Stream.dropWhile(({ status }) => status === "CONNECTED"),
          Stream.filter(({ status }) => status === "CONNECTED"),
          Stream.runHead,
          Effect.map(() => void refused.delete(camera))
        )

      const feedOf = ({ own }: LiveStream, device: Device): Feed =>
        own === undefined ? feeds.of(device) : transcoded.of(own, device)

      /** What the camera was to blame for is over, for all that is known: who comes now is to wait for this run. */
      const tryAnew = (stream: LiveStream) =>
        Effect.suspend(() => {
          const last = SubscriptionRef.getUnsafe(stream.state)
          const isOver = last._tag === "Failing" && last.isCamera === true
          return isOver ? stream.become({ _tag: "Starting", reason: last.reason }) : Effect.void
        })

      /** Told before FFmpeg's end is waited for: one that froze may take seconds to go. */
      const failed = Effect.fnUntraced(function* (stream: LiveStream, ended: RunEnded) {
        const { camera, state } = stream
        const { obstacle, reason } = ended
        const last = SubscriptionRef.getUnsafe(state)
        const wasSteady = last._tag === "Ready" && (yield* millisSince(last.since)) >= steady
        stream.failuresInARow = wasSteady ? 1 : stream.failuresInARow + 1
        stream.restarts++
        // before anybody is told, who may end this stream at once
        if (obstacle === "AUTH_FAILED" && devices.find(camera) !== undefined) {
          refused.set(camera, { until: (yield* monotonicMillis) + atLeast.AUTH_FAILED, reason })
        }
        const isFailing = stream.failuresInARow > 1 || obstacle !== undefined
        yield* stream.become(
          isFailing
            ? { _tag: "Failing", reason, ...(isCameras(obstacle) ? { isCamera: true } : {}) }
            : { _tag: "Starting", reason },
          runEndOf(ended)
        )
        yield* endsOf(stream).ended({ detail: reason, steady: false })
      })

      /** The next stream would show the same credentials again, and lock the account: who waits for it is told at once. */
      const awaitAccepted = Effect.fnUntraced(function* (stream: LiveStream) {
        const refusal = refused.get(stream.camera)
        if (refusal === undefined) return
        const left = refusal.until - (yield* monotonicMillis)
        if (left <= 0) return
        if (SubscriptionRef.getUnsafe(stream.state)._tag !== "Failing") {
          yield* stream.become({ _tag: "Failing", reason: refusal.reason, isCamera: true })
        }
        yield* Effect.raceFirst(Effect.sleep(Duration.millis(left)), recovery(stream.camera))
      })

      const isWell = (stream: LiveStream) =>
        SubscriptionRef.changes(stream.state).pipe(
          Stream.filter(({ _tag }) => _tag === "Ready"),
          Stream.runHead,
          Effect.andThen(Effect.sleep(proof)),
          Effect.andThen(endsOf(stream).isOver("the stream runs again"))
        )

      const runOnce = (stream: LiveStream): Effect.Effect<never, RunEnded> =>
        Effect.forkScoped(isWell(stream)).pipe(
          Effect.andThen(deviceOf(stream.camera)),
          Effect.flatMap((device) => feedOf(stream, device).runOnce(stream)),
          // who waits for the stream is told, and the next run may do better
          Effect.catchDefect((defect) =>
            Effect.andThen(
              Effect.logError("a stream's run ended with a defect", defect),
              Effect.fail(new RunEnded({ reason: "an internal error" }))
            )
          ),
          Effect.tapError((ended) => failed(stream, ended)),
          Effect.scoped
        )

      const run = (stream: LiveStream, permit: Semaphore.Semaphore): Effect.Effect<never> => {
        const { camera } = stream
        let generation = SubscriptionRef.getUnsafe(mediaMtx.state).generation
        /** Whatever ended the last run: a MediaMTX that has come up since then has nothing against the next. */
        const servedAnew = Effect.sync(() => {
          const now = SubscriptionRef.getUnsafe(mediaMtx.state).generation
          if (now !== generation) stream.failuresInARow = 0
          generation = now
        })

        return awaitAccepted(stream).pipe(
          Effect.andThen(awaitPossible(stream)),
          Effect.andThen(servedAnew),
          Effect.andThen(tryAnew(stream)),
          Effect.andThen(permit.withPermit(runOnce(stream))),
          Effect.catch((ended) => Effect.raceFirst(pauseAfter(ended, stream.failuresInARow), recovery(camera))),
          Effect.forever,
          Effect.annotateLogs({
            "camera.id": camera,
            ...(stream.own === undefined ? {} : { "stream.name": stream.name })
          })
        )
      }

      return Supervision.of({ run })
    })
  )
}
