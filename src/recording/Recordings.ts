import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, InvalidState, type NotFound } from "../../schema/Errors.ts"
import type { RecordingFormat, RecordingStatusUpdate } from "../../schema/Recording.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Files } from "../storage/Files.ts"
import type { IndexedFile } from "../storage/IndexDatabase.ts"
import { Paths, type WrittenFormat } from "../stream/Paths.ts"
import { Streams } from "../stream/Streams.ts"
import { type Hands, makeCourse } from "./Course.ts"
import { makeIncidents } from "./Incidents.ts"
import type { Recording } from "./Recording.ts"
import { type Segment, Segments } from "./Segments.ts"
import { makeUpdates } from "./Updates.ts"

export interface RecordingRequest {
  readonly camera: CameraId
  readonly format?: RecordingFormat
  readonly duration?: Duration.Duration
}

export interface Stopped {
  readonly recording: Recording
  readonly endedAt: number
  /** oldest first, whole on disk */
  readonly files: ReadonlyArray<IndexedFile>
}

const written: Readonly<Record<RecordingFormat, WrittenFormat>> = {
  fmp4: "fmp4",
  mp4: "fmp4",
  mkv: "fmp4",
  mpegts: "mpegts"
}

/** Streams written to disk by MediaMTX's recorder: one recording a camera, on the path that also serves viewers. */
export class Recordings extends Context.Service<
  Recordings,
  {
    /** succeeds when bytes are on disk */
    readonly start: (request: RecordingRequest) => Effect.Effect<Recording, DependencyFailed | InvalidState | NotFound>
    /** succeeds when the files are whole on disk */
    readonly stop: (camera: CameraId) => Effect.Effect<Stopped, DependencyFailed | InvalidState>
    /** deletes a recording that is not being written */
    readonly delete: (filename: string) => Effect.Effect<IndexedFile, DependencyFailed | InvalidState | NotFound>
    /** what happens to recordings from now on */
    readonly changes: Stream.Stream<RecordingStatusUpdate>
  }
>()("camera-service/recording/Recordings") {
  static readonly layer = Layer.effect(
    Recordings,
    Effect.gen(function* () {
      const settings = yield* Settings
      const streams = yield* Streams
      const paths = yield* Paths
      const segments = yield* Segments
      const files = yield* Files
      const incidents = yield* makeIncidents
      const layerScope = yield* Effect.scope
      const active = new Map<CameraId, Recording>()
      const turns = new Map<CameraId, Semaphore.Semaphore>()
      let isEnding = false
      const overdue = yield* Queue.unbounded<{ readonly recording: Recording; readonly reason: string }>()
      const { changes, tell } = yield* makeUpdates

      /** One change of a camera's recording at a time. */
      const inTurn = (camera: CameraId) => {
        const turn = turns.get(camera) ?? Semaphore.makeUnsafe(1)
        turns.set(camera, turn)
        return turn.withPermit
      }

      const finish = (recording: Recording, segment: Segment) =>
        Effect.uninterruptibleMask(
          Effect.fnUntraced(function* (restore) {
            if (recording.finished.has(segment.filename)) return
            // an end that is waited for leaves no time to remux an hour: the file stays what it is, whole
            const format = isEnding ? written[recording.format] : recording.format
            const prepared = yield* restore(segments.prepare(segment, format))
            recording.finished.set(segment.filename, yield* segments.place(prepared))
          })
        )

      const giveUp = (recording: Recording, reason: string) => Queue.offer(overdue, { recording, reason })

      const handsOn = (recording: Recording): Hands => ({
        tell: (segment, status, reason) => tell(recording, segment, status, reason),
        finish: (segment) =>
          finish(recording, segment).pipe(
            Effect.catch((error) => Effect.logError("a segment could not be looked after", error))
          ),
        end: (reason) => giveUp(recording, reason)
      })

      /** A camera that is gone before its first bytes are on disk is not waited for. */
      const failWhenUnplugged = (camera: CameraId) =>
        Effect.andThen(
          incidents.awayFor(camera, Duration.zero),
          Effect.fail(new DependencyFailed({ dependency: "camera", detail: "the camera was unplugged" }))
        )

      const begin = Effect.fnUntraced(function* (recording: Recording) {
        const { camera, scope } = recording
        const stream = yield* Scope.provide(streams.lease(camera, "recording"), scope)
        yield* tell(recording, undefined, "STARTING")
        const followed = yield* Scope.provide(segments.follow(camera), scope)
        // what came and was not looked at yet belongs to the recording too
        yield* Scope.addFinalizer(
          scope,
          followed.all.pipe(
            Effect.tap((all) =>
              Effect.sync(() => {
                const known = new Set(recording.segments.map(({ filename }) => filename))
                recording.segments.push(...all.filter(({ filename }) => !known.has(filename)))
              })
            ),
            Effect.ignore
          )
        )
        yield* Scope.addFinalizer(scope, Effect.ignore(paths.record(camera, undefined)))
        yield* paths.record(camera, written[recording.format])
        const first = followed.next.pipe(
          Effect.timeoutOrElse({
            duration: liveNow(settings).streams.start_timeout_seconds,
            orElse: () => {
              const state = SubscriptionRef.getUnsafe(stream.state)
              const detail = ("reason" in state ? state.reason : undefined) ?? "no bytes came to the disk in time"
              return Effect.fail(new DependencyFailed({ dependency: "mediamtx", detail }))
            }
          })
        )
        recording.segments.push(yield* Effect.raceFirst(first, failWhenUnplugged(camera)))
        recording.isWriting = true
        const resumeWithin = liveNow(settings).recording.resume_seconds
        const course = yield* makeCourse(recording, resumeWithin, handsOn(recording))
        yield* incidents.watch(recording, stream, followed, course.happened)
        yield* Effect.forkIn(course.run, scope)
        if (Duration.isZero(resumeWithin)) return
        const late = `the camera did not come back within ${Duration.toSeconds(resumeWithin)} s`
        yield* Effect.forkIn(Effect.andThen(incidents.awayFor(camera, resumeWithin), giveUp(recording, late)), scope)
      })

      const end = Effect.fn("Recordings.end")(function* (recording: Recording, reason?: string) {
        yield* Effect.annotateCurrentSpan("camera.id", recording.camera)
        active.delete(recording.camera)
        const endedAt = yield* Clock.currentTimeMillis
        // the recorder closes its file before the stream may end: closed here, and in this order, by the scope
        yield* Scope.close(recording.scope, Exit.void)
        const last = recording.segments.at(-1)
        const lost: Array<DependencyFailed> = []
        for (const segment of recording.segments) {
          yield* finish(recording, segment).pipe(Effect.catch((error) => Effect.sync(() => lost.push(error))))
        }
        const files = recording.segments.flatMap(({ filename }) => recording.finished.get(filename) ?? [])
        if (files.length === 0 && lost[0] !== undefined) {
          yield* tell(recording, last, "ERROR", lost[0].detail)
          return yield* lost[0]
        }
        yield* tell(recording, last, "STOPPED", reason ?? lost[0]?.detail)
        return { recording, endedAt, files } satisfies Stopped
      }, Effect.uninterruptible)

      /** Takes back a recording that did not begin, and what it may have left on disk. */
      const abandon = Effect.fnUntraced(function* ({ scope, segments: left }: Recording) {
        yield* Scope.close(scope, Exit.void)
        yield* Effect.forEach(left, (segment) => Effect.ignore(segments.discard(segment)))
      })

      const start = Effect.fn("Recordings.start")(function* (request: RecordingRequest) {
        const { camera } = request
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        return yield* Effect.gen(function* () {
          const present = active.get(camera)
          if (present !== undefined) {
            const state = present.isWriting ? "RECORDING" : "WAITING"
            return yield* new InvalidState({ state, allowed_states: ["STOPPED"] })
          }
          const recording: Recording = {
            camera,
            format: request.format ?? liveNow(settings).recording.format,
            startedAt: yield* Clock.currentTimeMillis,
            segments: [],
            finished: new Map(),
            isWriting: false,
            scope: yield* Scope.fork(layerScope)
          }
          const begun = yield* Effect.result(begin(recording)).pipe(Effect.onInterrupt(() => abandon(recording)))
          if (Result.isFailure(begun)) {
            yield* abandon(recording)
            if (begun.failure._tag === "DependencyFailed") {
              yield* tell(recording, undefined, "ERROR", begun.failure.detail)
            }
            return yield* begun.failure
          }
          active.set(camera, recording)
          if (request.duration !== undefined) {
            const over = Effect.delay(giveUp(recording, "its duration is over"), request.duration)
            yield* Effect.forkIn(over, recording.scope)
          }
          yield* tell(recording, recording.segments[0], "RECORDING")
          return recording
        }).pipe(inTurn(camera))
      })

      const stopThis = (recording: Recording, reason: string) =>
        Effect.suspend(() => (active.get(recording.camera) === recording ? end(recording, reason) : Effect.void)).pipe(
          inTurn(recording.camera),
          Effect.catch((error) => Effect.logError("a recording could not be ended well", error)),
          Effect.asVoid
        )

      // what finds that a recording is over cannot end it: it lives in the scope that ending closes
      yield* Queue.take(overdue).pipe(
        Effect.flatMap(({ reason, recording }) => Effect.forkIn(stopThis(recording, reason), layerScope)),
        Effect.forever,
        Effect.forkScoped
      )

      const stop = Effect.fn("Recordings.stop")(function* (camera: CameraId) {
        return yield* Effect.gen(function* () {
          const recording = active.get(camera)
          if (recording !== undefined) return yield* end(recording)
          return yield* new InvalidState({ state: "STOPPED", allowed_states: ["RECORDING"] })
        }).pipe(inTurn(camera))
      })

      const remove = Effect.fn("Recordings.delete")(function* (filename: string) {
        for (const { segments: open } of active.values()) {
          if (open.some((segment) => segment.filename === filename)) {
            return yield* new InvalidState({ state: "RECORDING", allowed_states: ["STOPPED"] })
          }
        }
        return yield* files.delete("recording", filename)
      })

      // the service ends: every recording is closed whole while MediaMTX still runs
      yield* Effect.addFinalizer(() => {
        isEnding = true
        return Effect.forEach([...active.values()], (recording) => stopThis(recording, "the service is ending"), {
          concurrency: "unbounded",
          discard: true
        })
      })

      return Recordings.of({ start, stop, delete: remove, changes })
    })
  )
}
