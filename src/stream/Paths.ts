import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi, type MediaMtxError, type PathOptions } from "../process/MediaMtxApi.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { type CameraPath, differs } from "./CameraPath.ts"

/** What MediaMTX writes itself; the other formats are made of these when a recording stops. */
export type WrittenFormat = "fmp4" | "mpegts"

/** How often the actual paths are compared with the desired ones when nothing else says so: changes by hand. */
const compareEvery = Duration.seconds(30)
const retryAfter = Duration.millis(500)
/** How long a recording may wait for a MediaMTX that is coming back. */
const patience = Duration.seconds(5)
const cameraPath = /^camera[0-9]+$/

/**
 * The one place that adds, changes and removes paths of MediaMTX: the desired ones (a path a known camera, recording or
 * not) against the actual ones, after each start of MediaMTX, after each change, and every 30 s.
 */
export class Paths extends Context.Service<
  Paths,
  {
    /** switches the path's recorder on (in this format) or off; off returns when the recorder has closed its file */
    readonly record: (camera: CameraId, format: WrittenFormat | undefined) => Effect.Effect<void, DependencyFailed>
    /** whether MediaMTX has this camera's path */
    readonly exists: (camera: CameraId) => boolean
    /** waits until MediaMTX has it */
    readonly awaitPath: (camera: CameraId) => Effect.Effect<void>
  }
>()("camera-service/stream/Paths") {
  static readonly layer = Layer.effect(
    Paths,
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const mediaMtx = yield* MediaMtx
      const devices = yield* Devices
      const settings = yield* Settings
      const folder = yield* DataFolder
      const desired = new Map<CameraId, WrittenFormat | undefined>()
      const actual = yield* SubscriptionRef.make<ReadonlySet<string>>(new Set())
      // one at a time: MediaMTX applies each change to its whole configuration
      const writing = yield* Semaphore.make(1)
      const recordPath = join(folder.recordings, "%path_%Y-%m-%d_%H-%M-%S_%f")

      const configOf = (format: WrittenFormat | undefined): CameraPath => {
        const { recording, streams } = liveNow(settings)
        return {
          source: "publisher",
          overridePublisher: false,
          // does nothing: MediaMTX holds readers of a path that has it until somebody publishes
          runOnDemand: "true",
          runOnDemandStartTimeout: `${Duration.toSeconds(streams.start_timeout_seconds)}s`,
          record: format !== undefined,
          recordPath,
          recordFormat: format ?? "fmp4",
          recordPartDuration: `${Duration.toMillis(recording.part_milliseconds)}ms`,
          recordSegmentDuration: `${Duration.toSeconds(recording.segment_seconds)}s`,
          recordDeleteAfter: "0s"
        }
      }

      /** A refused PATCH stays in MediaMTX's memory and spoils later calls (seen to v1.20.1); replacing the path mends it. */
      const patch = (name: string, change: Partial<CameraPath>, whole: CameraPath) =>
        api.patchPath(name, change).pipe(Effect.catchTag("MediaMtxRefused", () => api.replacePath(name, whole)))

      const writeOne = Effect.fnUntraced(function* (name: string, present: PathOptions | undefined) {
        const config = configOf(desired.get(name))
        if (present === undefined) {
          yield* api.addPath(name, config)
        } else {
          const change = differs(config, present)
          if (change !== undefined) yield* patch(name, change, config)
        }
        yield* SubscriptionRef.update(actual, (names) => (names.has(name) ? names : new Set([...names, name])))
      })

      const compare = Effect.gen(function* () {
        const { _tag } = yield* SubscriptionRef.get(mediaMtx.state)
        if (_tag !== "Running") return yield* SubscriptionRef.set(actual, new Set())
        const present = new Map((yield* api.listPathConfigs).map(({ name, options }) => [name, options]))
        yield* SubscriptionRef.set(actual, new Set([...present.keys()].filter((name) => desired.has(name))))
        const failures: Array<MediaMtxError> = []
        // a path that is refused keeps no other one waiting
        const noted = (change: Effect.Effect<void, MediaMtxError>) =>
          change.pipe(Effect.catch((error) => Effect.sync(() => void failures.push(error))))
        for (const name of desired.keys()) yield* noted(writeOne(name, present.get(name)))
        for (const [name, options] of present) {
          const ours = cameraPath.test(name) && options["recordPath"] === recordPath
          if (ours && !desired.has(name)) yield* noted(api.deletePath(name))
        }
        if (failures[0] !== undefined) return yield* failures[0]
      }).pipe(
        writing.withPermit,
        Effect.withSpan("Paths.compare"),
        Effect.retry({ schedule: Schedule.spaced(retryAfter), times: 5 }),
        Effect.catch((error) => Effect.logWarning("MediaMTX's paths could not be set", error))
      )

      const failed = (error: MediaMtxError) => new DependencyFailed({ dependency: "mediamtx", detail: error.detail })

      const awaitRunning = SubscriptionRef.changes(mediaMtx.state).pipe(
        Stream.filter(({ _tag }) => _tag === "Running"),
        Stream.runHead,
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () => Effect.fail(new DependencyFailed({ dependency: "mediamtx", detail: "MediaMTX is not running" }))
        })
      )

      const record = Effect.fn("Paths.record")(function* (camera: CameraId, format: WrittenFormat | undefined) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const before = desired.get(camera)
        desired.set(camera, format)
        const write = Effect.gen(function* () {
          if (!SubscriptionRef.getUnsafe(actual).has(camera)) return yield* writeOne(camera, undefined)
          const config = configOf(format)
          yield* patch(camera, { record: config.record, recordFormat: config.recordFormat }, config)
          // answered by the path itself, after the change: its recorder has closed by then
          if (format === undefined) yield* api.getPath(camera)
        }).pipe(writing.withPermit, Effect.mapError(failed))
        if (format === undefined) {
          // a MediaMTX that is down records nothing, and is told when it is back
          return yield* Effect.ignore(write)
        }
        yield* Effect.andThen(awaitRunning, write).pipe(
          Effect.onError(() => Effect.sync(() => desired.set(camera, before)))
        )
      })

      /** Without a look at all others, of which there may be many; a MediaMTX that is not there is told when it is. */
      const arrive = Effect.fnUntraced(function* (camera: CameraId) {
        if (desired.has(camera)) return
        desired.set(camera, undefined)
        if (SubscriptionRef.getUnsafe(mediaMtx.state)._tag !== "Running") return
        yield* writing.withPermit(writeOne(camera, undefined)).pipe(Effect.catch(() => compare))
      })
      yield* devices.follow(({ id }) => arrive(id))

      const restarts = Stream.map(SubscriptionRef.changes(mediaMtx.state), () => true)
      const ticks = Stream.fromSchedule(Schedule.spaced(compareEvery))
      yield* Stream.mergeAll<boolean | number, never, never>([restarts, ticks], { concurrency: "unbounded" }).pipe(
        // while one comparison runs, one more is enough for whatever came meanwhile
        Stream.buffer({ capacity: 1, strategy: "sliding" }),
        Stream.runForEach(() => compare),
        Effect.forkScoped
      )

      return Paths.of({
        record,
        exists: (camera) => SubscriptionRef.getUnsafe(actual).has(camera),
        awaitPath: (camera) =>
          SubscriptionRef.changes(actual).pipe(
            Stream.filter((names) => names.has(camera)),
            Stream.runHead,
            Effect.asVoid
          )
      })
    })
  )
}
