import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { DiskSpace } from "../ground/Disk.ts"
import { DiskGuard } from "./DiskGuard.ts"
import { FileIndex } from "./FileIndex.ts"
import { fullAt, growthOf } from "./Forecast.ts"
import type { StoredFile } from "./IndexedFile.ts"
import type { FileKind } from "./Names.ts"
import type { Limits } from "./RetentionPlan.ts"
import { RetentionPolicies } from "./RetentionPolicies.ts"
import { describeRules, noLimits, rulesOf } from "./RetentionRules.ts"
import { sharedAnswer } from "./SharedAnswer.ts"
import { levelAfter, reserveBytes, usedPercent } from "./SpaceLevel.ts"

/** How full the disk is, and what of it is ours; sizes in bytes, times in epoch milliseconds. */
export interface Usage {
  readonly space: DiskSpace
  readonly percent: number
  readonly isLow: boolean
  readonly recordings: number
  readonly snapshots: number
  /** since the oldest recording began */
  readonly keptMillis: number | undefined
  /** as files came lately */
  readonly bytesPerDay: number
  /** when only the reserve is left if it goes on like that */
  readonly fullAt: number | undefined
  /** what is deleted by itself, for people */
  readonly retention: string
  /** of that, what is for the files of all cameras */
  readonly limits: Limits
}

/** So many files of a kind tell how fast they come: 6 hours of 16 cameras with an hour each. */
const latest = 100

/** What an operator wants to know of the disk. */
export class StorageUsage extends Context.Service<
  StorageUsage,
  {
    /** looked at now, and reckoned from the latest files */
    readonly now: Effect.Effect<Usage, DependencyFailed>
  }
>()("camera-service/storage/StorageUsage") {
  static readonly layer = Layer.effect(
    StorageUsage,
    Effect.gen(function* () {
      const settings = yield* Settings
      const guard = yield* DiskGuard
      const index = yield* FileIndex
      const policies = yield* RetentionPolicies

      const withBeside = (files: ReadonlyArray<StoredFile>) =>
        files.map((file) => ({ ...file, bytes: file.bytes + file.beside }))

      const latestOf = (kind: FileKind) =>
        Effect.map(index.list(kind, { limit: latest, offset: 0, devices: undefined }), ({ files }) => files)

      const now = Effect.gen(function* () {
        const { storage } = liveNow(settings)
        const space = yield* guard.look
        const rules = rulesOf(storage, yield* policies.get, false)
        const [recordings, snapshots] = [yield* index.totals("recording"), yield* index.totals("snapshot")]
        const [oldest] = yield* index.oldest({ kinds: ["recording"], device: undefined, after: undefined, limit: 1 })
        const time = yield* Clock.currentTimeMillis
        const bytesPerDay =
          growthOf(withBeside(yield* latestOf("recording")), time) + growthOf(yield* latestOf("snapshot"), time)
        return {
          space,
          percent: usedPercent(space),
          isLow: levelAfter("ENOUGH", space, storage) !== "ENOUGH",
          recordings: recordings.bytes,
          snapshots: snapshots.bytes,
          keptMillis: oldest === undefined ? undefined : Math.max(0, time - oldest.created),
          bytesPerDay,
          fullAt: fullAt({
            now: time,
            bytesPerDay,
            stored: recordings.bytes + snapshots.bytes,
            room: space.available - reserveBytes(storage),
            keepsRoom: storage.delete_percent > 0,
            rules
          }),
          retention: describeRules(rules, storage),
          limits: rules.all === "KEPT" ? noLimits : rules.all
        }
      }).pipe(Effect.withSpan("StorageUsage.now"))

      // 0.6 ms of a core for each (measured): who asks meanwhile is told the same
      return StorageUsage.of({ now: sharedAnswer(now) })
    })
  )
}
