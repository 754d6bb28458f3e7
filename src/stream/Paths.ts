import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Live } from "../config/LiveSettings.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi, type MediaMtxError } from "../process/MediaMtxApi.ts"
import type { PathOptions } from "../process/MediaMtxReplies.ts"
import { reconciliations } from "../telemetry/Metrics.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { differences, withDismissals } from "./CameraPath.ts"
import { publishedPath } from "./FeedPath.ts"
import { type PathRecord, PathTable } from "./PathTable.ts"
import { isStreamName, type StreamName, streamsOf, transcodeOf } from "./StreamName.ts"

/** How often the actual paths are compared with the desired ones when nothing else says so: changes by hand. */
const compareEvery = Duration.seconds(30)
const retryAfter = Duration.millis(500)

/**
 * The one place that adds and removes paths of MediaMTX, and puts them right: the desired ones (those of the known cameras,
 * recording or not) against the actual ones, after each start of MediaMTX, after each change, and every 30 s. Who else wants
 * a path another way changes the desired one and has `PathTable` write it, as `PathRecorders` and `Dismissals` do.
 */
export class Paths extends Context.Service<
  Paths,
  {
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
      const table = yield* PathTable
      const { actual, again, alone, desire, desired, records } = table
      const { managed } = settings.boot.mediamtx
      /** the run of MediaMTX that the records are of */
      let generation = 0
      const scope = yield* Effect.scope

      const isMadeByUs = (name: string, options: PathOptions) =>
        records.get(name)?.madeBy === "us" || options["recordPath"] === table.recordPath

      /**
       * Has the paths that nobody uses follow the settings; gives them. MediaMTX closes a path whose options change, but for
       * its recorder's (`internal/core/path_manager.go`): one in use follows when it is idle again.
       */
      const followSettings = Effect.gen(function* () {
        const live = liveNow(settings)
        const isOld = (made: Live) => JSON.stringify(publishedPath(made)) !== JSON.stringify(publishedPath(live))
        const old = () =>
          [...records].flatMap(([name, { desired: wanted }]) =>
            wanted !== undefined && isOld(wanted.live) ? [{ name, wanted }] : []
          )
        if (old().length === 0) return new Set<string>()
        const states = yield* api.listPaths
        const used = new Set(states.flatMap(({ name, readers, ready }) => (ready || readers > 0 ? [name] : [])))
        const free = old().filter(({ name, wanted }) => wanted.format === undefined && !used.has(name))
        for (const { name, wanted } of free) desire(name, { ...wanted, live })
        return new Set(free.map(({ name }) => name))
      })

      const putRight = Effect.fnUntraced(function* (
        name: StreamName,
        record: PathRecord,
        options: PathOptions,
        defaults: PathOptions,
        isFollowing: boolean
      ) {
        if (!managed && !isMadeByUs(name, options)) {
          if (record.madeBy === "another") return
          record.madeBy = "another"
          const words = "a path of MediaMTX has the camera's name and is not ours: it is left alone"
          return yield* Effect.logWarning(words, { "camera.id": name })
        }
        const wanted = record.desired
        if (wanted !== undefined) {
          record.desired = withDismissals(wanted, table.pathOf, { defaults, present: options })
        }
        const keys = differences(table.configOf(name), defaults, options)
        if (keys.length > 0) {
          const words = isFollowing
            ? "a path follows the configuration"
            : "a path is not as it should be, and is put right"
          const log = record.isWrong ? Effect.logDebug : isFollowing ? Effect.logInfo : Effect.logWarning
          record.isWrong = true
          yield* log(words, { "camera.id": name, keys })
          yield* table.replace(name)
        }
        record.isWrong = false
        yield* table.present(name)
      })

      const remove = Effect.fnUntraced(function* (name: string) {
        yield* api.deletePath(name)
        // its camera may have come back meanwhile
        if (desired(name) === undefined) records.delete(name)
      })

      const compareOnce = Effect.gen(function* () {
        const state = yield* SubscriptionRef.get(mediaMtx.state)
        if (state._tag !== "Running") {
          for (const [name, record] of records) if (record.desired === undefined) records.delete(name)
          return yield* SubscriptionRef.set(actual, new Set())
        }
        if (state.generation !== generation) {
          generation = state.generation
          for (const record of records.values()) record.madeBy = undefined
        }
        const following = yield* followSettings
        const defaults = yield* api.pathDefaults
        const configs = new Map((yield* api.listPathConfigs).map(({ name, options }) => [name, options]))
        yield* SubscriptionRef.update(actual, (names) => new Set([...names].filter((name) => configs.has(name))))
        const failures: Array<MediaMtxError> = []
        // a path that is refused keeps no other one waiting
        const noted = (change: Effect.Effect<void, MediaMtxError>) =>
          change.pipe(Effect.catch((error) => Effect.sync(() => void failures.push(error))))
        for (const [name, record] of records) {
          const options = configs.get(name)
          if (record.desired === undefined) {
            if (options === undefined || !isMadeByUs(name, options)) records.delete(name)
          } else if (options === undefined) yield* noted(table.add(name))
          else yield* noted(putRight(name, record, options, defaults, following.has(name)))
        }
        for (const [name, options] of configs) {
          if (isStreamName(name) && desired(name) !== undefined) continue
          const isOurs = isStreamName(name) && isMadeByUs(name, options)
          // in our own MediaMTX nobody else has anything to do: a path can run commands
          if (managed && !isOurs) yield* Effect.logWarning("a path that is not ours is removed", { path: name })
          if (managed || isOurs) yield* noted(remove(name))
        }
        if (failures[0] !== undefined) return yield* failures[0]
      }).pipe(alone, Effect.withSpan("Paths.compare"))

      const trouble = makeTrouble()
      const tryAgain = Effect.forkIn(Effect.delay(Queue.offer(again, true), retryAfter), scope)
      const compare = compareOnce.pipe(
        Effect.andThen(Metric.update(reconciliations("done"), 1)),
        Effect.andThen(trouble.isOver("MediaMTX's paths are set again")),
        Effect.catch((error) =>
          trouble
            .began("MediaMTX's paths could not be set: it is tried again", error)
            .pipe(Effect.andThen(tryAgain), Effect.ensuring(Metric.update(reconciliations("failed"), 1)))
        )
      )

      /** Without a look at all others, of which there may be many; a MediaMTX that is not there is told when it is. */
      const arrive = Effect.fnUntraced(function* (name: StreamName) {
        if (desired(name) !== undefined) return
        desire(name, table.unused())
        if (SubscriptionRef.getUnsafe(mediaMtx.state)._tag !== "Running") return
        yield* alone(table.add(name)).pipe(Effect.catch(() => compare))
      })
      yield* devices.follow((device) => Effect.forEach(streamsOf(device), arrive, { discard: true }))
      yield* devices.followForgotten((camera) => {
        for (const name of [camera, transcodeOf(camera)]) {
          const record = records.get(name)
          if (record !== undefined) Object.assign(record, { desired: undefined, isWrong: false })
        }
        Queue.offerUnsafe(again, true)
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
