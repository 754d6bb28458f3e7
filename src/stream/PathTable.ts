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

/** What MediaMTX's paths are to be, and which of them it has. */
export class PathTable extends Context.Service<
  PathTable,
  {
    /** by their names */
    readonly desired: Map<StreamName, Desired>
    /** what a path is to be at first */
    readonly unused: () => Desired
    /** the names of those that MediaMTX has */
    readonly actual: SubscriptionRef.SubscriptionRef<ReadonlySet<string>>
    /** where MediaMTX's recorder writes, as it wants it */
    readonly recordPath: string
    readonly pathOf: (wanted: Desired) => CameraPath
    readonly configOf: (name: StreamName) => CameraPath
    /**
     * Has a path that is there be the desired one, to be called within `alone`. Always the whole path: a refused PATCH would
     * stay in MediaMTX's memory and spoil later calls (seen to v1.20.1).
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
      const desired = new Map<StreamName, Desired>()
      const writing = yield* Semaphore.make(1)
      const recordPath = join(folder.recordings, "%path_%Y-%m-%d_%H-%M-%S_%f")
      const unused = (): Desired => {
        const live = liveNow(settings)
        return { format: undefined, live, recording: live.recording, dismissals: 0 }
      }
      const configOf = (name: StreamName) => pathOf(desired.get(name) ?? unused(), recordPath)
      return PathTable.of({
        desired,
        unused,
        actual: yield* SubscriptionRef.make<ReadonlySet<string>>(new Set()),
        recordPath,
        pathOf: (wanted) => pathOf(wanted, recordPath),
        configOf,
        replace: (name) => api.replacePath(name, configOf(name)),
        alone: writing.withPermit,
        again: yield* Queue.sliding<true>(1)
      })
    })
  )
}
