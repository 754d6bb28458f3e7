import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Scope from "effect/Scope"
import type { OwnFacts } from "../facts/Facts.ts"
import { Disk } from "../ground/Disk.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Holds } from "../storage/Holds.ts"
import { CameraTelemetry } from "../stream/CameraTelemetry.ts"
import { PathRecorders } from "../stream/PathRecorders.ts"
import { CameraWatch } from "./CameraWatch.ts"
import { makeFileWork } from "./FileWork.ts"
import { writtenAs } from "./Format.ts"
import { NewFiles } from "./NewFiles.ts"
import type { RecordingFact } from "./Recording.ts"
import { makeRecorderSwitch } from "./RecorderSwitch.ts"
import { makeEnd } from "./RecordingEnd.ts"
import type { OwnRun } from "./RecordingRun.ts"
import type { Action, Timer } from "./RecordingState.ts"
import { Segments } from "./Segments.ts"
import { makeSidecars } from "./Sidecars.ts"
import { makeTell } from "./Telling.ts"

/** Gives what does the actions of one recording, in their order, until that is over; what takes its time is done beside. */
export const makeActions = Effect.fnUntraced(function* (facts: OwnFacts<RecordingFact>) {
  const recorders = yield* PathRecorders
  const cameraWatch = yield* CameraWatch
  const newFiles = yield* NewFiles
  const segments = yield* Segments
  const holds = yield* Holds
  const index = yield* FileIndex
  const { recordings: folder } = yield* DataFolder
  const sidecars = yield* makeSidecars(yield* Disk, folder, index, yield* CameraTelemetry)

  return Effect.fnUntraced(function* (run: OwnRun) {
    const { happened, lease, recorderIsTold, recording, scope, started, stream } = run
    const { camera, format } = recording
    const inScope = Scope.provide(scope)
    const timers = yield* inScope(FiberMap.make<Timer>())
    const tasks = yield* inScope(FiberMap.make<string>())
    const tell = yield* makeTell(facts, run)
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
    yield* inScope(recorder.watch)
    const end = makeEnd(index, run, recorder.areFilesKnown)

    /** A defect of one part of the work is not the end of the recording. */
    const beside = (key: string, effect: Effect.Effect<unknown>) =>
      FiberMap.run(
        tasks,
        key,
        Effect.catchCause(effect, (cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("a recording is not looked after", cause)
        )
      )

    const perform = (action: Action): Effect.Effect<unknown> => {
      switch (action._tag) {
        case "Tell":
          return tell(action)
        case "TurnRecorderOn":
          return beside("recorder", Effect.ensuring(recorder.on, Deferred.succeed(recorderIsTold, undefined)))
        case "TurnRecorderOff":
          return beside("recorder", recorder.off(action.seconds))
        case "PauseRecorder":
          return beside("recorder", recorder.pause(action.seconds))
        case "ResumeRecorder":
          return beside("recorder", recorder.resume)
        case "ReleaseStream":
          return beside(
            "lease",
            Effect.map(Scope.close(lease, Exit.void), () => happened({ _tag: "StreamReleased" }))
          )
        case "AwaitClosed":
          return beside(
            "closing",
            Effect.map(cameraWatch.awaitClosed(stream), () => happened({ _tag: "StreamClosed" }))
          )
        case "ExplainStall":
          return beside(
            "stall",
            Effect.map(segments.explainStall, (why) => happened({ _tag: "StallExplained", ...why }))
          )
        case "AwaitSync":
          return beside(
            "sync",
            Effect.map(segments.awaitSync, () => happened({ _tag: "DiskSyncs" }))
          )
        case "Finish":
          return beside(action.filename, Effect.andThen(sidecar.end(action.filename), work.finish(action.filename)))
        case "Discard":
          return beside(action.filename, Effect.andThen(sidecar.end(action.filename), work.discard(action.filename)))
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
    return (actions: ReadonlyArray<Action>) =>
      Effect.forEach(
        actions,
        (action) =>
          Effect.catchDefect(perform(action), (defect) =>
            Effect.logError("a recording's step failed", { step: action._tag }, defect)
          ),
        { discard: true }
      )
  })
})
