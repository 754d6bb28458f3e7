import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as RcMap from "effect/RcMap"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { CameraId } from "../../schema/Camera.ts"
import { type DependencyFailed, InvalidState, type NotFound } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Facts } from "../facts/Facts.ts"
import { DiskGuard } from "../storage/DiskGuard.ts"
import { Recorder } from "./Recorder.ts"
import type { RecordingRun } from "./RecordingRun.ts"
import type { Recording, RecordingFact, RecordingNow, RecordingRequest, Started, Stopped } from "./Recording.ts"
import { Unfinished } from "./Unfinished.ts"

/** A recording ends in less, whatever a disk or a program does; should it not, the service's end goes on without it. */
const endTime = Duration.seconds(6)

/** A disk that hangs does not keep the service from its end. */
const clearTime = Duration.seconds(1)

/** Streams written to disk by MediaMTX's recorder: one recording a camera, on the path that also serves viewers. */
export class Recordings extends Context.Service<
  Recordings,
  {
    /**
     * Succeeds when bytes are on disk, and that it goes on after a crash: in at most 10 s more, whatever the disk does. One that
     * was cut off waits for whatever it needs as one that runs does: it succeeds at once, or was stopped meanwhile.
     */
    readonly start: (request: RecordingRequest) => Effect.Effect<Started, DependencyFailed | InvalidState | NotFound>
    /** succeeds when the files are whole on disk, and that it is over: within 10 s, remuxes apart */
    readonly stop: (camera: CameraId) => Effect.Effect<Stopped, DependencyFailed | InvalidState>
    /** closes all whole, since the service ends, while MediaMTX still runs */
    readonly end: Effect.Effect<void>
    /** one that was cut off, and does not run, does not go on: told as its last word */
    readonly giveUp: (
      camera: CameraId,
      reason: string,
      last: "RecordingEnded" | "RecordingFailed"
    ) => Effect.Effect<void>
    /** those that are not over: another map after each change */
    readonly now: () => ReadonlyMap<CameraId, RecordingNow>
    /** what happens to recordings from now on */
    readonly facts: Facts<RecordingFact>
  }
>()("camera-service/recording/Recordings") {
  static readonly layer = Layer.effect(
    Recordings,
    Effect.gen(function* () {
      const recorder = yield* Recorder
      const guard = yield* DiskGuard
      const settings = yield* Settings
      const unfinished = yield* Unfinished
      const scope = yield* Effect.scope
      /** those that are not over */
      const runs = new Map<CameraId, RecordingRun>()
      let isEnding = false
      const turns = yield* RcMap.make({ lookup: (_camera: CameraId) => Semaphore.make(1) })

      let now: ReadonlyMap<CameraId, RecordingNow> = new Map()
      yield* recorder.facts.followFirst(({ _tag: last, at, camera, reason, seconds }) =>
        Effect.sync(() => {
          const next = new Map(now)
          if (last === "RecordingEnded" || last === "RecordingFailed") next.delete(camera)
          else {
            const known = last === "RecordingWaiting" ? now.get(camera)?.since : undefined
            next.set(camera, { last, since: known ?? at.wall - seconds * 1000, reason })
          }
          now = next
        })
      )

      /** One change of a camera's recording at a time. */
      const inTurn =
        (camera: CameraId) =>
        <A, E>(change: Effect.Effect<A, E>): Effect.Effect<A, E> =>
          Effect.scoped(Effect.flatMap(RcMap.get(turns, camera), (turn) => turn.withPermit(change)))

      /** The recording under way; one that ends by itself is waited for. */
      const running = Effect.fnUntraced(function* (camera: CameraId) {
        const run = runs.get(camera)
        if (run === undefined) return undefined
        const state = run.state()
        if (state === "RECORDING" || state === "WAITING") return { run, state }
        yield* Effect.ignore(run.ended)
        return undefined
      })

      /** What was acknowledged goes on after a crash. */
      const writeDown = Effect.fnUntraced(function* (request: RecordingRequest, { camera, format }: Recording) {
        if (liveNow(settings).recording.resume_after === "nothing" || request.goesOnAfter !== undefined) return
        const now = yield* Clock.currentTimeMillis
        const milliseconds = request.duration === undefined ? undefined : Duration.toMillis(request.duration)
        const until = milliseconds === undefined ? {} : { until: { endsAt: now + milliseconds, milliseconds } }
        yield* unfinished.add({ device: camera, format, ...until })
      })

      const start = Effect.fn("Recordings.start")(function* (request: RecordingRequest) {
        const { camera } = request
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        return yield* Effect.gen(function* () {
          const present = yield* running(camera)
          if (present !== undefined) {
            return yield* new InvalidState({ state: present.state, allowed_states: ["STOPPED"] })
          }
          if (request.goesOnAfter === undefined) yield* guard.admitRecording
          // somebody stopped it while it had not its turn yet
          else if (!(yield* unfinished.has(camera))) {
            return yield* new InvalidState({ state: "STOPPED", allowed_states: ["RECORDING"] })
          }
          return yield* Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              const run = yield* recorder.run(request)
              runs.set(camera, run)
              let hasBegun = false
              const over = Effect.suspend(() => {
                if (runs.get(camera) === run) runs.delete(camera)
                // one that did not begin may be one that is to go on, and so may one that the service's end closed
                return hasBegun && !isEnding ? Effect.ignore(unfinished.remove(camera)) : Effect.void
              })
              yield* Effect.forkIn(Effect.andThen(Effect.exit(run.ended), over), scope)
              // no child of who asks: one that has begun was told to everybody, and stays so when its client goes
              const begun = run.started.pipe(
                Effect.tap(() => Effect.sync(() => (hasBegun = true))),
                Effect.andThen(Effect.result(writeDown(request, run.recording)))
              )
              const beginning = yield* Effect.forkIn(Effect.interruptible(begun), scope, { startImmediately: true })
              const cancel = Effect.suspend(() => {
                run.happened({ _tag: "StartCancelled" })
                return Effect.ignore(run.started)
              })
              const written = yield* Effect.onInterrupt(restore(Fiber.join(beginning)), () => cancel)
              return { ...run.recording, reason: Result.isSuccess(written) ? undefined : doesNotGoOn }
            })
          )
        }).pipe(inTurn(camera))
      })

      const stop = Effect.fn("Recordings.stop")(function* (camera: CameraId) {
        return yield* Effect.gen(function* () {
          const present = yield* running(camera)
          if (present === undefined) {
            // one that was cut off, and has not gone on yet, does not
            yield* Effect.ignore(unfinished.remove(camera))
            return yield* new InvalidState({ state: "STOPPED", allowed_states: ["RECORDING"] })
          }
          present.run.happened({ _tag: "StopAsked" })
          const [stopped, removed] = yield* Effect.all([present.run.ended, Effect.result(unfinished.remove(camera))], {
            concurrency: 2
          })
          return Result.isSuccess(removed) ? stopped : { ...stopped, reason: stopped.reason ?? mayGoOn }
        }).pipe(inTurn(camera))
      })

      const end = Effect.suspend(() => {
        isEnding = true
        return Effect.forEach(
          runs.values(),
          (run) => {
            run.happened({ _tag: "ServiceEnds" })
            return Effect.timeoutOption(Effect.ignore(run.ended), endTime)
          },
          { concurrency: "unbounded", discard: true }
        )
      })

      // those that began since their clients were told
      yield* Effect.addFinalizer(() =>
        end.pipe(
          Effect.andThen(
            Effect.suspend(() =>
              liveNow(settings).recording.resume_after === "restart"
                ? Effect.void
                : Effect.timeoutOrElse(Effect.ignore(unfinished.clear), {
                    duration: clearTime,
                    orElse: () => Effect.logWarning(mayAllGoOn)
                  })
            )
          )
        )
      )

      const giveUp = (camera: CameraId, reason: string, last: "RecordingEnded" | "RecordingFailed") =>
        Effect.gen(function* () {
          if ((yield* running(camera)) !== undefined || !(yield* unfinished.has(camera))) return
          recorder.facts.tell({ _tag: last, camera, filename: "", seconds: 0, reason })
          yield* (last === "RecordingFailed" ? Effect.logWarning : Effect.logInfo)("a recording does not go on", reason)
          yield* Effect.ignore(unfinished.remove(camera))
        }).pipe(inTurn(camera))

      return Recordings.of({ start, stop, end, giveUp, now: () => now, facts: recorder.facts })
    })
  )
}

/** The video is worth more than the note of it: a disk that is read-only may have another one for recordings. */
const doesNotGoOn = "it could not be written down that it is under way: after a crash it may not go on"
const mayGoOn = "it could not be written down that it is over: after a crash it may go on"
const mayAllGoOn =
  "the disk did not say in time that it is written down that no recording is under way: after the next start they may go on"
