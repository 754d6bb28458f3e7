import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import type { DependencyFailed, InvalidState, NotFound } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { makeFacts, type OwnFacts } from "../facts/Facts.ts"
import { Disk } from "../ground/Disk.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { DiskGuard } from "../storage/DiskGuard.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Streams } from "../stream/Streams.ts"
import { CameraWatch } from "./CameraWatch.ts"
import { watchGrowth } from "./Growth.ts"
import type { RecordingFact, RecordingRequest, Stopped } from "./Recording.ts"
import { makeActions } from "./RecordingActions.ts"
import { type OwnRun, phaseOf, type RecordingRun } from "./RecordingRun.ts"
import { type Incident, starting } from "./RecordingState.ts"
import { step } from "./Step.ts"

const lookAtClock = Duration.seconds(5)

/** Runs recordings: all that happens to one comes through one queue to `step`, and what that says is done in its order. */
export class Recorder extends Context.Service<
  Recorder,
  {
    /** begins one; it ends by itself, or when it hears of a reason to */
    readonly run: (request: RecordingRequest) => Effect.Effect<RecordingRun, InvalidState | NotFound>
    /** what happens to all of them, from now on */
    readonly facts: OwnFacts<RecordingFact>
  }
>()("camera-service/recording/Recorder") {
  static readonly layer = Layer.effect(
    Recorder,
    Effect.gen(function* () {
      const settings = yield* Settings
      const streams = yield* Streams
      const cameraWatch = yield* CameraWatch
      const guard = yield* DiskGuard
      const followGrowth = yield* watchGrowth(yield* Disk, (yield* DataFolder).recordings, yield* FileIndex)
      const facts = yield* makeFacts<RecordingFact>()
      const actionsOf = yield* makeActions(facts)

      /**
       * MediaMTX refuses a publisher whose path has changed since he announced himself ("configuration has changed",
       * `internal/core/path_manager.go`): the stream of an idle camera waits until the recorder was told to be on, which takes some
       * milliseconds. Of one that is under way already nobody knows whether he has.
       */
      const leaseOf = Effect.fnUntraced(function* (camera: CameraId, isTold: Effect.Effect<void>) {
        const lease = yield* Scope.make()
        const before = streams.current(camera)
        const isIdle = before === undefined || SubscriptionRef.getUnsafe(before.state)._tag === "Stopping"
        if (isIdle) yield* Effect.forkIn(streams.withDevice(camera)(isTold), lease, { startImmediately: true })
        const stream = yield* Scope.provide(streams.lease(camera, "recording"), lease).pipe(
          Effect.onError(() => Scope.close(lease, Exit.void))
        )
        return { lease, stream }
      })

      /** What happens to its camera, its stream, the disk and its file is told, for as long as the scope lives. */
      const follow = Effect.fnUntraced(function* ({ happened, state, stream }: OwnRun) {
        yield* cameraWatch.watch(stream, happened)
        yield* guard.follow((reason) =>
          happened(reason === undefined ? { _tag: "RoomBack" } : { _tag: "RoomGone", reason })
        )
        yield* followGrowth(
          () => (state().isWriting ? state().segments.at(-1)?.filename : undefined),
          (filename) => happened({ _tag: "FileGrew", filename })
        )
      })

      /** No timer hears that the clock is set: a box without a battery for it does that a while after its start. */
      const followClock = (endsAt: number, { happened }: OwnRun) =>
        Clock.currentTimeMillis.pipe(
          Effect.repeat({ until: (now) => now >= endsAt, schedule: Schedule.spaced(lookAtClock) }),
          Effect.andThen(Effect.sync(() => happened({ _tag: "TimeOver", timer: "duration" })))
        )

      const run = Effect.fn("Recorder.run")(function* (request: RecordingRequest) {
        const { camera, duration, endsAt, format = liveNow(settings).recording.format, goesOnAfter } = request
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        // no child of the layer's scope, whose end would wait for a disk that hangs: `Recordings` waits for it in time
        const scope = yield* Scope.make()
        const recorderIsTold = yield* Deferred.make<void>()
        const { lease, stream } = yield* leaseOf(camera, Deferred.await(recorderIsTold))
        const incidents = yield* Queue.unbounded<Incident>()
        const begun = starting({
          resumeSeconds: Duration.toSeconds(liveNow(settings).recording.resume_seconds),
          startSeconds: Duration.toSeconds(liveNow(settings).streams.start_timeout_seconds),
          durationSeconds: duration === undefined ? undefined : Duration.toSeconds(duration),
          goesOnAfter
        })
        let { state } = begun
        const startedAt = yield* Clock.currentTimeMillis
        const own: OwnRun = {
          recording: { camera, format, startedAt, segments: () => state.segments },
          state: () => state,
          happened: (incident) => void Queue.offerUnsafe(incidents, incident),
          stream,
          lease,
          recorderIsTold,
          scope,
          started: yield* Deferred.make<void, DependencyFailed>(),
          ended: yield* Deferred.make<Stopped, DependencyFailed>()
        }
        const perform = yield* actionsOf(own)
        const take = (incident: Incident) =>
          Effect.suspend(() => {
            const next = step(state, incident)
            state = next.state
            return perform(next.actions)
          })

        yield* perform(begun.actions)
        yield* Scope.provide(follow(own), scope)
        if (endsAt !== undefined) yield* Effect.forkIn(Effect.interruptible(followClock(endsAt, own)), scope)
        yield* Effect.forkIn(Effect.forever(Effect.flatMap(Queue.take(incidents), take)), scope)
        return {
          recording: own.recording,
          state: () => phaseOf(state),
          happened: own.happened,
          started: Deferred.await(own.started),
          ended: Deferred.await(own.ended)
        } satisfies RecordingRun
      }, annotated)

      return Recorder.of({ run, facts })
    })
  )
}

/** Not to be interrupted; each line of its log names the camera. */
const annotated = <A, E, R>(run: Effect.Effect<A, E, R>, { camera }: RecordingRequest): Effect.Effect<A, E, R> =>
  Effect.annotateLogs(Effect.uninterruptible(run), { "camera.id": camera })
