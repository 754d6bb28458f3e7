import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import type { Live } from "../config/LiveSettings.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi, type MediaMtxError, MediaMtxRefused, type PathOptions } from "../process/MediaMtxApi.ts"
import { awaitRunning } from "../process/MediaMtxTrouble.ts"
import { reconciliations } from "../telemetry/Metrics.ts"
import { differences, withDismissals, type WrittenFormat } from "./CameraPath.ts"
import { publishedPath } from "./FeedPath.ts"
import { PathTable } from "./PathTable.ts"
import { isStreamName, type StreamName, streamsOf, transcodeOf } from "./StreamName.ts"

/** How often the actual paths are compared with the desired ones when nothing else says so: changes by hand. */
const compareEvery = Duration.seconds(30)
const retryAfter = Duration.millis(500)
/** How long a recording may wait for a MediaMTX that is coming back. */
const patience = Duration.seconds(5)
const foreign = new MediaMtxRefused({ status: 400, detail: "it has a path of this name that is not ours" })

/**
 * The one place that adds and removes paths of MediaMTX, and puts them right: the desired ones (those of the known cameras,
 * recording or not) against the actual ones, after each start of MediaMTX, after each change, and every 30 s. Who else wants
 * a path another way changes the desired one and has `PathTable` write it, as `Dismissals` does.
 */
export class Paths extends Context.Service<
  Paths,
  {
    /**
     * Switches the path's recorder on (in this format) or off; off returns when the recorder has closed its file. A failure
     * to switch it off says that it may still write: that is tried on until it is off.
     */
    readonly record: (camera: CameraId, format: WrittenFormat | undefined) => Effect.Effect<void, DependencyFailed>
    /** whether MediaMTX has this path */
    readonly exists: (name: StreamName) => boolean
    /** the names of those that it has: now, and each time that they are others */
    readonly changes: Stream.Stream<ReadonlySet<string>>
    /** waits until MediaMTX has it */
    readonly awaitPath: (name: StreamName) => Effect.Effect<void>
  }
>()("camera-service/stream/Paths") {
  static readonly layer = Layer.effect(
    Paths,
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const mediaMtx = yield* MediaMtx
      const devices = yield* Devices
      const settings = yield* Settings
      const { actual, again, alone, configOf, desired, pathOf, recordPath, replace, unused } = yield* PathTable
      const { managed } = settings.boot.mediamtx
      /** paths that we made in this run of MediaMTX, and those that somebody else did under a camera's name */
      const known = { generation: 0, ours: new Set<string>(), theirs: new Set<string>() }
      /** paths that were seen not to be as they should: said once for each, however often putting it right fails */
      const wrong = new Set<string>()
      const scope = yield* Effect.scope

      const isMadeByUs = (name: string, options: PathOptions) =>
        known.ours.has(name) || options["recordPath"] === recordPath

      const present = (name: string) =>
        SubscriptionRef.update(actual, (names) => (names.has(name) ? names : new Set([...names, name])))

      const add = Effect.fnUntraced(function* (name: StreamName) {
        yield* api.addPath(name, configOf(name))
        known.ours.add(name)
        known.theirs.delete(name)
        yield* present(name)
      })

      /**
       * Has the paths that nobody uses follow the settings; gives them. MediaMTX closes a path whose options change, but for
       * its recorder's (`internal/core/path_manager.go`): one in use follows when it is idle again.
       */
      const followSettings = Effect.gen(function* () {
        const live = liveNow(settings)
        const isOld = (made: Live) => JSON.stringify(publishedPath(made)) !== JSON.stringify(publishedPath(live))
        const old = () => [...desired].filter(([, wanted]) => isOld(wanted.live))
        if (old().length === 0) return new Set<string>()
        const states = yield* api.listPaths
        const used = new Set(states.flatMap(({ name, readers, ready }) => (ready || readers > 0 ? [name] : [])))
        const free = old().filter(([camera, { format }]) => format === undefined && !used.has(camera))
        for (const [camera, wanted] of free) desired.set(camera, { ...wanted, live })
        return new Set<string>(free.map(([camera]) => camera))
      })

      const putRight = Effect.fnUntraced(function* (
        camera: CameraId,
        options: PathOptions,
        defaults: PathOptions,
        isFollowing: boolean
      ) {
        if (!managed && !isMadeByUs(camera, options)) {
          if (known.theirs.has(camera)) return
          known.theirs.add(camera)
          return yield* Effect.logWarning(
            "a path of MediaMTX has the camera's name and is not ours: it is left alone",
            {
              "camera.id": camera
            }
          )
        }
        const wanted = desired.get(camera)
        if (wanted !== undefined) desired.set(camera, withDismissals(wanted, pathOf, { defaults, present: options }))
        const keys = differences(configOf(camera), defaults, options)
        if (keys.length > 0) {
          const words = isFollowing
            ? "a path follows the configuration"
            : "a path is not as it should be, and is put right"
          const log = wrong.has(camera) ? Effect.logDebug : isFollowing ? Effect.logInfo : Effect.logWarning
          wrong.add(camera)
          yield* log(words, { "camera.id": camera, keys })
          yield* replace(camera)
        }
        wrong.delete(camera)
        yield* present(camera)
      })

      const compareOnce = Effect.gen(function* () {
        const { _tag, generation } = yield* SubscriptionRef.get(mediaMtx.state)
        if (_tag !== "Running") return yield* SubscriptionRef.set(actual, new Set())
        if (generation !== known.generation) {
          known.generation = generation
          known.ours.clear()
          known.theirs.clear()
        }
        const following = yield* followSettings
        const defaults = yield* api.pathDefaults
        const configs = new Map((yield* api.listPathConfigs).map(({ name, options }) => [name, options]))
        yield* SubscriptionRef.update(actual, (names) => new Set([...names].filter((name) => configs.has(name))))
        const failures: Array<MediaMtxError> = []
        // a path that is refused keeps no other one waiting
        const noted = (change: Effect.Effect<void, MediaMtxError>) =>
          change.pipe(Effect.catch((error) => Effect.sync(() => void failures.push(error))))
        for (const camera of desired.keys()) {
          const options = configs.get(camera)
          yield* noted(options === undefined ? add(camera) : putRight(camera, options, defaults, following.has(camera)))
        }
        for (const [name, options] of configs) {
          if (isStreamName(name) && desired.has(name)) continue
          const isOurs = isStreamName(name) && isMadeByUs(name, options)
          // in our own MediaMTX nobody else has anything to do: a path can run commands
          if (managed && !isOurs) yield* Effect.logWarning("a path that is not ours is removed", { path: name })
          if (managed || isOurs) yield* noted(api.deletePath(name))
        }
        if (failures[0] !== undefined) return yield* failures[0]
      }).pipe(alone, Effect.withSpan("Paths.compare"))

      let isFailing = false
      const tryAgain = Effect.forkIn(Effect.delay(Queue.offer(again, true), retryAfter), scope)
      const compare = compareOnce.pipe(
        Effect.andThen(Metric.update(reconciliations("done"), 1)),
        Effect.map(() => {
          isFailing = false
        }),
        Effect.catch((error) => {
          const log = isFailing ? Effect.logDebug : Effect.logWarning
          isFailing = true
          return Effect.andThen(log("MediaMTX's paths could not be set: it is tried again", error), tryAgain).pipe(
            Effect.ensuring(Metric.update(reconciliations("failed"), 1))
          )
        })
      )

      const failed = (error: MediaMtxError) => new DependencyFailed({ dependency: "mediamtx", detail: error.detail })

      const running = Effect.timeoutOrElse(awaitRunning(mediaMtx), {
        duration: patience,
        orElse: () => Effect.fail(new DependencyFailed({ dependency: "mediamtx", detail: "MediaMTX is not running" }))
      })

      const write = (camera: CameraId) =>
        Effect.suspend((): Effect.Effect<void, MediaMtxError> => {
          if (SubscriptionRef.getUnsafe(actual).has(camera)) return replace(camera)
          return known.theirs.has(camera) ? Effect.fail(foreign) : add(camera)
        }).pipe(alone, Effect.mapError(failed))

      const switchOn = Effect.fnUntraced(function* (camera: CameraId, format: WrittenFormat) {
        const before = desired.get(camera) ?? unused()
        desired.set(camera, { ...before, format, recording: liveNow(settings).recording })
        yield* Effect.andThen(running, write(camera)).pipe(
          Effect.onError(() =>
            Effect.sync(() => {
              const now = desired.get(camera)
              if (now !== undefined) desired.set(camera, { ...now, format: before.format, recording: before.recording })
            })
          )
        )
      })

      const switchOff = Effect.fnUntraced(function* (camera: CameraId) {
        // a camera that was forgotten meanwhile has no path any more, nor is it to get one
        const before = desired.get(camera)
        if (before === undefined) return
        desired.set(camera, { ...before, format: undefined })
        const { _tag } = yield* SubscriptionRef.get(mediaMtx.state)
        // our own that does not run is gone, and its recorders with it; one that has no such path of ours records nothing there
        if (managed ? _tag !== "Running" : known.theirs.has(camera)) return
        yield* write(camera).pipe(
          // answered by the path itself, after the change: its recorder has closed by then
          Effect.andThen(Effect.mapError(api.getPath(camera), failed)),
          Effect.tapError((error) =>
            Effect.andThen(
              Queue.offer(again, true),
              // who asked says so in the end
              Effect.logDebug("a recorder could not be switched off yet", error)
            )
          )
        )
      })

      const record = Effect.fn("Paths.record")(function* (camera: CameraId, format: WrittenFormat | undefined) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        return yield* format === undefined ? switchOff(camera) : switchOn(camera, format)
      })

      /** Without a look at all others, of which there may be many; a MediaMTX that is not there is told when it is. */
      const arrive = Effect.fnUntraced(function* (name: StreamName) {
        if (desired.has(name)) return
        desired.set(name, unused())
        if (SubscriptionRef.getUnsafe(mediaMtx.state)._tag !== "Running") return
        yield* alone(add(name)).pipe(Effect.catch(() => compare))
      })
      yield* devices.follow((device) => Effect.forEach(streamsOf(device), arrive, { discard: true }))
      yield* devices.facts.follow(({ _tag, camera }) => {
        if (_tag !== "CameraForgotten") return Effect.void
        for (const name of [camera, transcodeOf(camera)]) {
          desired.delete(name)
          wrong.delete(name)
        }
        return Queue.offer(again, true)
      })

      // that it does not answer for a while changes no path
      const restarts = SubscriptionRef.changes(mediaMtx.state).pipe(
        Stream.map(({ _tag, generation }) => `${_tag} ${generation}`),
        Stream.changes,
        Stream.map(() => true)
      )
      const ticks = Stream.fromSchedule(Schedule.spaced(compareEvery))
      const asked = Stream.fromQueue(again)
      const changes = Stream.drop(SubscriptionRef.changes(settings.live), 1).pipe(Stream.map(() => true))
      yield* Stream.mergeAll<boolean | number, never, never>([restarts, ticks, asked, changes], {
        concurrency: "unbounded"
      }).pipe(
        // while one comparison runs, one more is enough for whatever came meanwhile
        Stream.buffer({ capacity: 1, strategy: "sliding" }),
        Stream.runForEach(() => compare),
        Effect.forkScoped
      )

      return Paths.of({
        record,
        exists: (name) => SubscriptionRef.getUnsafe(actual).has(name),
        changes: SubscriptionRef.changes(actual),
        awaitPath: (name) =>
          SubscriptionRef.changes(actual).pipe(
            Stream.filter((names) => names.has(name)),
            Stream.runHead,
            Effect.asVoid
          )
      })
    })
  )
}
