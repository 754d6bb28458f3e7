import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { DependencyFailed, type InvalidState, type NotFound } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { makeFacts, type OwnFacts } from "../facts/Facts.ts"
import { Disk } from "../ground/Disk.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { DiskGuard } from "../storage/DiskGuard.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Holds } from "../storage/Holds.ts"
import { CameraTelemetry } from "../stream/CameraTelemetry.ts"
import { PathRecorders } from "../stream/PathRecorders.ts"
import { Streams } from "../stream/Streams.ts"
import { CameraWatch } from "./CameraWatch.ts"
import { sum } from "./Draft.ts"
import { filesLeft } from "./FilesLeft.ts"
import { makeFileWork } from "./FileWork.ts"
import { writtenAs } from "./Format.ts"
import { watchGrowth } from "./Growth.ts"
import { makeSidecars } from "./Sidecars.ts"
import { NewFiles } from "./NewFiles.ts"
import type { Recording, RecordingFact, RecordingRequest, Stopped } from "./Recording.ts"
import { makeRecorderSwitch } from "./RecorderSwitch.ts"
import { phaseOf, type RecordingRun } from "./RecordingRun.ts"
import { type Action, type Incident, starting, type Timer } from "./RecordingState.ts"
import { Segments } from "./Segments.ts"
import { step } from "./Step.ts"

/** Runs recordings: all that happens to one comes through one queue to `step`, and what that says is done here. */
export class Recorder extends Context.Service<
  Recorder,
  {
    /** begins one; it ends by itself, or when it hears of a reason to */
    readonly run: (request: RecordingRequest) => Effect.Effect<RecordingRun, InvalidState | NotFound>
    readonly facts: OwnFacts<RecordingFact>
  }
>()("camera-service/recording/Recorder") {
  static readonly layer = Layer.effect(
    Recorder,
    Effect.gen(function* () {
      const settings = yield* Settings
      const streams = yield* Streams
      const recorders = yield* PathRecorders
      const cameraWatch = yield* CameraWatch
      const newFiles = yield* NewFiles
      const segments = yield* Segments
      const index = yield* FileIndex
      const holds = yield* Holds
      const guard = yield* DiskGuard
      const { recordings: folder } = yield* DataFolder
      const disk = yield* Disk
      const followGrowth = yield* watchGrowth(disk, folder)
      const sidecars = yield* makeSidecars(disk, folder, index, yield* CameraTelemetry)
      const facts = yield* makeFacts<RecordingFact>()

      const run = Effect.fn("Recorder.run")(function* (request: RecordingRequest) {
        const { camera, duration, format = liveNow(settings).recording.format, goesOnAfter } = request
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        // no child of the layer's scope, whose end would wait for a disk that hangs: `Recordings` waits for it in time
        const scope = yield* Scope.make()
        const leased = yield* Scope.make()
        const stream = yield* Scope.provide(streams.lease(camera, "recording"), leased).pipe(
          Effect.onError(() => Scope.close(leased, Exit.void))
        )
        const inScope = Scope.provide(scope)
        const timers = yield* inScope(FiberMap.make<Timer>())
        const tasks = yield* inScope(FiberMap.make<string>())
        const incidents = yield* Queue.unbounded<Incident>()
        const started = yield* Deferred.make<void, DependencyFailed>()
        const ended = yield* Deferred.make<Stopped, DependencyFailed>()
        const happened = (incident: Incident): void => void Queue.offerUnsafe(incidents, incident)
        const startedAt = yield* Clock.currentTimeMillis
        const since = yield* monotonicMillis
        const begun = starting({
          resumeSeconds: Duration.toSeconds(liveNow(settings).recording.resume_seconds),
          startSeconds: Duration.toSeconds(liveNow(settings).streams.start_timeout_seconds),
          durationSeconds: duration === undefined ? undefined : Duration.toSeconds(duration),
          goesOnAfter
        })
        let state = begun.state
        const recording: Recording = { camera, format, startedAt, segments: () => state.segments }

        const tell = Effect.fnUntraced(function* (
          fact: RecordingFact["_tag"],
          filename: string,
          reason: string | undefined
        ) {
          const now = yield* monotonicMillis
          const isStopped = fact === "RecordingEnded" || fact === "RecordingWaiting"
          const seconds = isStopped ? sum(state).seconds : (now - since) / 1000
          facts.tell({ _tag: fact, camera, filename, seconds, reason })
          if (fact === "RecordingTroubled" || fact === "RecordingFailed") {
            yield* Effect.logWarning("a recording is in trouble", reason)
          }
          if (fact === "RecordingWriting" && reason !== undefined) yield* Effect.logInfo("a recording goes on", reason)
        })

        /** A defect of one part of the work is not the end of the recording. */
        const fork = (key: string, effect: Effect.Effect<unknown>) =>
          FiberMap.run(
            tasks,
            key,
            Effect.catchCause(effect, (cause) =>
              Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("a recording is not looked after", cause)
            )
          )

        const work = makeFileWork(holds, segments, { camera, format, scope, happened })
        const sidecar = yield* inScope(sidecars(camera))
        const lookForLast = yield* inScope(
          newFiles.follow(camera, (written) =>
            Effect.map(work.begin(written), (filename) => {
              sidecar.began(filename)
              happened({ _tag: "FileBegan", filename })
            })
          )
        )

        const recorder = makeRecorderSwitch(recorders, { camera, format: writtenAs[format], happened, lookForLast })

        const end = Effect.fnUntraced(function* ({ failure, files, reason }: Extract<Action, { _tag: "End" }>) {
          const endedAt = yield* Clock.currentTimeMillis
          const stopped: Stopped = { recording, endedAt, ...(yield* filesLeft(index, files, state.earlier)), reason }
          yield* Deferred.done(started, Exit.fail(failure ?? notStarted))
          yield* Deferred.done(ended, failure === undefined ? Exit.succeed(stopped) : Exit.fail(failure))
          // what still waits for a disk that hangs is left behind: nobody waits for it
          const closed = Effect.andThen(Scope.close(leased, Exit.void), Scope.close(scope, Exit.void))
          // of a file that was given up the index knows what it was when it began, and of one that was not seen nothing
          const isDoubtful = !recorder.areFilesKnown() || sum(state).lost !== undefined
          yield* Effect.forkDetach(isDoubtful ? Effect.andThen(closed, index.doubt) : closed)
        })

        const perform = (action: Action): Effect.Effect<unknown> => {
          switch (action._tag) {
            case "Tell":
              return tell(action.fact, action.filename, action.reason)
            case "TurnRecorderOn":
              return fork("recorder", recorder.on)
            case "TurnRecorderOff":
              return fork("recorder", recorder.off(action.seconds))
            case "PauseRecorder":
              return fork("recorder", recorder.pause(action.seconds))
            case "ResumeRecorder":
              return fork("recorder", recorder.resume)
            case "ReleaseStream":
              return fork(
                "lease",
                Effect.map(Scope.close(leased, Exit.void), () => happened({ _tag: "StreamReleased" }))
              )
            case "AwaitClosed":
              return fork(
                "closing",
                Effect.map(cameraWatch.awaitClosed(stream), () => happened({ _tag: "StreamClosed" }))
              )
            case "ExplainStall":
              return fork(
                "stall",
                Effect.map(segments.explainStall, (why) => happened({ _tag: "StallExplained", ...why }))
              )
            case "Finish":
              return fork(action.filename, Effect.andThen(sidecar.end(action.filename), work.finish(action.filename)))
            case "Discard":
              return fork(action.filename, Effect.andThen(sidecar.end(action.filename), work.discard(action.filename)))
            case "GiveUpRemuxes":
              return Effect.sync(work.giveUpRemuxes)
            case "SetTimer": {
              const { seconds, timer } = action
              const over = Effect.sync(() => happened({ _tag: "TimeOver", timer }))
              return FiberMap.run(timers, timer, Effect.delay(over, Duration.seconds(seconds)))
            }
            case "ClearTimer":
              return FiberMap.remove(timers, action.timer)
            case "ClearTimers":
              return FiberMap.clear(timers)
            case "AnswerStart":
              return Deferred.done(started, Exit.void)
            case "End":
              return end(action)
          }
        }

        /** A defect in one action keeps no other from being done: whoever waits for the recording is answered. */
        const performAll = (actions: ReadonlyArray<Action>) =>
          Effect.forEach(
            actions,
            (action) =>
              perform(action).pipe(
                Effect.catchDefect((defect) =>
                  Effect.logError("a recording's step failed", { step: action._tag }, defect)
                )
              ),
            { discard: true }
          )
        const take = (incident: Incident) =>
          Effect.suspend(() => {
            const next = step(state, incident)
            state = next.state
            return performAll(next.actions)
          })

        yield* performAll(begun.actions)
        yield* inScope(cameraWatch.watch(stream, happened))
        yield* inScope(
          guard.follow((reason) => happened(reason === undefined ? { _tag: "RoomBack" } : { _tag: "RoomGone", reason }))
        )
        yield* inScope(
          followGrowth(
            () => (state.isWriting ? state.segments.at(-1)?.filename : undefined),
            (filename) => happened({ _tag: "FileGrew", filename })
          )
        )
        yield* Effect.forkIn(Effect.forever(Effect.flatMap(Queue.take(incidents), take)), scope)
        return {
          recording,
          state: () => phaseOf(state),
          happened,
          started: Deferred.await(started),
          ended: Deferred.await(ended)
        } satisfies RecordingRun
      }, annotated)

      return Recorder.of({ run, facts })
    })
  )
}

/** Not to be interrupted; each line of its log names the camera. */
const annotated = <A, E, R>(run: Effect.Effect<A, E, R>, { camera }: RecordingRequest): Effect.Effect<A, E, R> =>
  Effect.annotateLogs(Effect.uninterruptible(run), { "camera.id": camera })

/** What a start is answered that nobody waits for any more. */
const notStarted = new DependencyFailed({ dependency: "mediamtx", detail: "the recording is over" })
