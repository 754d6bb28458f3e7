import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { DependencyFailed } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { Disk, type DiskSpace } from "../ground/Disk.ts"
import type { Limit } from "../telemetry/Metrics.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { DataFolder } from "./DataFolder.ts"
import { folderAway, folderBack, folderPresence } from "./FolderPresence.ts"
import { isAtLeast, levelAfter, reaches, type SpaceLevel, usedPercent } from "./SpaceLevel.ts"
import { looseAnswer, sharedAnswer } from "./SharedAnswer.ts"
import { storageFailed } from "./StorageFailed.ts"

/** 16 cameras with 10 Mbit/s each take 40 MB meanwhile. */
const every = Duration.seconds(2)
/** Without a recording next to nothing is written. */
const seldom = Duration.seconds(5)
/** A disk that does not answer has other troubles than its room. */
const patience = Duration.seconds(1)

/**
 * A disk that is recorded to is asked to sync the folder: an ext4 that failed tells it then. One that nobody writes to is not:
 * that would wake it, though there is nothing to write down.
 */
const syncEvery = Duration.seconds(30)

/** The disk is at another level than before, or the data folder's is taken out, or back (another one maybe). */
export type SpaceFact =
  | { readonly _tag: "SpaceLevelChanged"; readonly level: SpaceLevel; readonly space: DiskSpace }
  | { readonly _tag: "DataFolderMoved"; readonly isThere: boolean }

/** Watches the room on the disk that recordings are written to, and keeps its reserve. */
export class DiskGuard extends Context.Service<
  DiskGuard,
  {
    /** as it was seen last, from memory; undefined until then */
    readonly now: () => DiskSpace | undefined
    /** what is wrong with the disk, for people: it is too full, or unusable */
    readonly trouble: () => string | undefined
    /** what of that keeps everybody from writing, however much room there is: it is away, can only be read, or does not answer */
    readonly unusable: () => string | undefined
    /** as it is now */
    readonly look: Effect.Effect<DiskSpace, DependencyFailed>
    /** fails where the disk is too full for a new recording */
    readonly admitRecording: Effect.Effect<void, DependencyFailed>
    /** fails where only the reserve is left: who asks waits for no disk that had room when it was seen last */
    readonly admitSnapshot: Effect.Effect<void, DependencyFailed>
    /** for recordings: tells why they have to wait, or undefined once they need not any more: first how it stands now, then each change */
    readonly follow: (act: (reason: string | undefined) => void) => Effect.Effect<void, never, Scope.Scope>
    /** that a level of use was passed, either way */
    readonly facts: Facts<SpaceFact>
  }
>()("camera-service/storage/DiskGuard") {
  static readonly layer = Layer.effect(
    DiskGuard,
    Effect.gen(function* () {
      const settings = yield* Settings
      const { recordings: folder, secrets, snapshots } = yield* DataFolder
      const disk = yield* Disk
      const facts = yield* makeFacts<SpaceFact>()
      const limits = () => liveNow(settings).storage
      let level: SpaceLevel = "ENOUGH"
      let seen: DiskSpace | undefined
      let failure: string | undefined
      let unwritable: string | undefined
      let unsynced: string | undefined
      let isAway = false
      let followers = 0

      const note = Effect.fnUntraced(function* (space: DiskSpace) {
        const before = level
        level = levelAfter(before, space, limits())
        seen = space
        if (level === before) return
        facts.tell({ _tag: "SpaceLevelChanged", level, space })
        const log = isAtLeast(level, before) ? Effect.logWarning : Effect.logInfo
        yield* log(isAtLeast(level, before) ? worse[level] : "there is more room on the disk again", {
          used_percent: usedPercent(space),
          available_bytes: space.available
        })
      })

      // mounted so, or made so by the kernel when it failed (ext4(5), errors=): it tells its room as before. Since Linux 6.12
      // an ext4 that failed does not show that.
      const tryToWrite = Effect.match(disk.mayWrite(folder), {
        onFailure: (error) => {
          unwritable = storageFailed("write to the disk", error).detail
        },
        onSuccess: () => {
          unwritable = undefined
        }
      })
      // its sync may take a while: nobody waits for it
      const tryToSync = Effect.match(looseAnswer(disk.sync(folder)), {
        onFailure: (error) => {
          unsynced = ["EROFS", "EIO"].includes(error.code)
            ? storageFailed("write to the disk", error).detail
            : undefined
        },
        onSuccess: () => {
          unsynced = undefined
        }
      })
      const moved = (away: boolean, made: boolean) =>
        Effect.suspend(() => {
          if (isAway === away && !made) return Effect.void
          const before = isAway
          isAway = away
          facts.tell({ _tag: "DataFolderMoved", isThere: !away })
          if (away) return Effect.logError(folderAway)
          return before
            ? Effect.logInfo(folderBack)
            : Effect.logWarning("the folder of recordings was gone: it was made again")
        })
      // a disk of their own is not asked each time: one that hangs would hide how full that of the recordings is
      const others = Effect.ignore(
        Effect.all([folderPresence(disk, snapshots, 0o750), folderPresence(disk, secrets, 0o700)])
      )
      let isFirst = true
      const presence = folderPresence(disk, folder, 0o750).pipe(
        Effect.tapError(({ code }) => (code === "ENODEV" ? moved(true, false) : Effect.void)),
        Effect.tap((made) => (made || isAway || isFirst ? others : Effect.void)),
        Effect.flatMap((made) => moved(false, made)),
        Effect.tap(() =>
          Effect.sync(() => {
            isFirst = false
          })
        )
      )
      const ask = sharedAnswer(Effect.andThen(presence, Effect.tap(Effect.tap(disk.space(folder), note), tryToWrite)))
      const doing = "ask the disk for its room"
      const look = ask.pipe(
        Effect.mapError((error) => storageFailed(doing, error)),
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () =>
            Effect.fail(new DependencyFailed({ dependency: "storage", detail: `cannot ${doing}: it does not answer` }))
        })
      )
      const watch = Effect.match(look, {
        onFailure: ({ detail }) => {
          failure = detail
        },
        onSuccess: () => {
          failure = undefined
        }
      })
      const rest = Effect.suspend(() => Effect.sleep(followers > 0 ? every : seldom))
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(watch, rest)))
      const sync = Effect.suspend(() => (followers > 0 || unsynced !== undefined ? tryToSync : Effect.void))
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(syncEvery), sync)))

      const isReserved = () => level === "RESERVE"
      const refused = yield* makeRefusals
      const full = (limit: Limit, detail: string) =>
        Effect.suspend(() => {
          refused(limit, "", "nothing new is written: the disk is too full", { detail })
          return Effect.fail(new DependencyFailed({ dependency: "storage", detail, suggestion: makeRoom }))
        })

      const admitRecording = Effect.gen(function* () {
        // one that cannot say how full it is may have room all the same
        const space = yield* Effect.orElseSucceed(look, () => undefined)
        if (isAway) return yield* away()
        if (isReserved()) return yield* full("storage.reserve_mb", waiting(limits().reserve_mb))
        const { refuse_percent } = limits()
        const percent = space === undefined ? 0 : usedPercent(space)
        if (!reaches(percent, refuse_percent)) return
        return yield* full(
          "storage.refuse_percent",
          `${percent} % of the disk is used: from ${refuse_percent} % on no recording begins`
        )
      })
      const admitSnapshot = Effect.gen(function* () {
        if (isAway) return yield* away()
        // what was deleted a moment ago may have made room
        if (isReserved()) yield* Effect.ignore(look)
        if (isReserved()) return yield* full("storage.reserve_mb", onlyReserve(limits().reserve_mb))
      })

      const reason = () => (isAway ? folderAway : isReserved() ? waiting(limits().reserve_mb) : undefined)
      const unusable = () => failure ?? unwritable ?? unsynced

      return DiskGuard.of({
        now: () => seen,
        trouble: () => unusable() ?? (isAtLeast(level, "REFUSING") ? worse[level] : undefined),
        unusable,
        look,
        admitRecording,
        admitSnapshot,
        follow: Effect.fnUntraced(function* (act) {
          yield* Effect.acquireRelease(
            Effect.sync(() => followers++),
            () => Effect.sync(() => followers--)
          )
          yield* facts.follow(() => Effect.sync(() => act(reason())))
          act(reason())
        }),
        facts
      })
    })
  )
}

const worse: Readonly<Record<SpaceLevel, string>> = {
  ENOUGH: "",
  LOW: "the disk is getting full",
  REFUSING: "the disk is too full for new recordings",
  RESERVE: "the disk is full up to its reserve: recordings wait, and no snapshot is kept"
}

const away = () =>
  new DependencyFailed({ dependency: "storage", detail: folderAway, suggestion: "mount its disk again" })

const onlyReserve = (megabytes: number): string => `only the reserve of ${megabytes} MB is left on the disk`
const waiting = (megabytes: number): string =>
  `${onlyReserve(megabytes)}: a recording goes on when ${2 * megabytes} MB are free`

const makeRoom = "delete recordings or snapshots, or clean up old files now (cleanup_old_files)"
