import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { join } from "node:path"
import { liveNow, Settings } from "../config/Settings.ts"
import { MediaMtxApi, type MediaMtxError } from "../process/MediaMtxApi.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { type CameraPath, type Desired, pathOf } from "./CameraPath.ts"
import type { StreamName } from "./StreamName.ts"

/** What is known of one path. */
export interface PathRecord {
  /** what it is to be; undefined: its camera was forgotten, and it is to go */
  desired: Desired | undefined
  /** who made it in this run of MediaMTX; undefined: that is not known, or there is none */
  madeBy: "us" | "another" | undefined
  /** it was seen not to be as it should be: said once, however often putting it right fails */
  isWrong: boolean
}

/** What MediaMTX's paths are to be, and which of them it has. */
export class PathTable extends Context.Service<
  PathTable,
  {
    /** by their names, until they are gone from MediaMTX */
    readonly records: Map<StreamName, PathRecord>
    /** what the path is to be; undefined: there is to be none */
    readonly desired: (name: StreamName) => Desired | undefined
    /** has it be this from now on: `write` tells MediaMTX so */
    readonly desire: (name: StreamName, desired: Desired) => void
    /** what a path is to be at first */
    readonly unused: () => Desired
    /** the names of those that MediaMTX has */
    readonly actual: SubscriptionRef.SubscriptionRef<ReadonlySet<string>>
    /** MediaMTX has this one */
    readonly present: (name: StreamName) => Effect.Effect<void>
    /** where MediaMTX's recorder writes, as it wants it */
    readonly recordPath: string
    /** as MediaMTX has to be told it */
    readonly pathOf: (wanted: Desired) => CameraPath
    /** the same of the desired one, or of one that nobody uses */
    readonly configOf: (name: StreamName) => CameraPath
    /** makes a path that is not there, to be called within `alone` */
    readonly add: (name: StreamName) => Effect.Effect<void, MediaMtxError>
    /**
     * Has a path that is there be the desired one, to be called within `alone`. Always the whole path: a refused PATCH would
     * stay in MediaMTX's memory and spoil later calls (seen to v1.21.0).
     */
    readonly replace: (name: StreamName) => Effect.Effect<void, MediaMtxError>
    /** writes one at a time: MediaMTX applies each change to its whole configuration */
    readonly alone: <A, E>(write: Effect.Effect<A, E>) => Effect.Effect<A, E>
    /** the desired ones are to be compared with the actual ones again */
    readonly again: Queue.Queue<true>
  }
>()("camera-service/stream/PathTable") {
  static readonly layer = Layer.effect(
    PathTable,
    Effect.gen(function* () {
      const settings = yield* Settings
      const folder = yield* DataFolder
      const api = yield* MediaMtxApi
      const records = new Map<StreamName, PathRecord>()
      const actual = yield* SubscriptionRef.make<ReadonlySet<string>>(new Set())
      const writing = yield* Semaphore.make(1)
      const recordPath = join(folder.recordings, "%path_%Y-%m-%d_%H-%M-%S_%f")

      const unused = (): Desired => {
        const live = liveNow(settings)
        return { format: undefined, live, recording: live.recording, dismissals: 0 }
      }
      const desired = (name: StreamName) => records.get(name)?.desired
      const desire = (name: StreamName, wanted: Desired) => {
        const record = records.get(name)
        if (record === undefined) records.set(name, { desired: wanted, madeBy: undefined, isWrong: false })
        else record.desired = wanted
      }
      const configOf = (name: StreamName) => pathOf(desired(name) ?? unused(), recordPath)
      const present = (name: StreamName) =>
        SubscriptionRef.update(actual, (names) => (names.has(name) ? names : new Set([...names, name])))

      return PathTable.of({
        records,
        desired,
        desire,
        unused,
        actual,
        present,
        recordPath,
        pathOf: (wanted) => pathOf(wanted, recordPath),
        configOf,
        add: Effect.fnUntraced(function* (name) {
          yield* api.addPath(name, configOf(name))
          const record = records.get(name)
          if (record !== undefined) record.madeBy = "us"
          yield* present(name)
        }),
        replace: (name) => api.replacePath(name, configOf(name)),
        alone: writing.withPermit,
        again: yield* Queue.sliding<true>(1)
      })
    })
  )
}
