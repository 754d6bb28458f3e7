import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import type { CameraId } from "../../schema/Camera.ts"
import type { DependencyFailed, InvalidParams } from "../../schema/Errors.ts"
import type { RetentionPolicy } from "../../schema/Storage.ts"
import type { Live } from "../config/LiveSettings.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { Disk } from "../ground/Disk.ts"
import { type Cleaned, type Cleanup, doneOf, startTally, type Tally } from "./Cleanup.ts"
import { makeClockTrust } from "./ClockTrust.ts"
import { DataFolder } from "./DataFolder.ts"
import { DiskGuard } from "./DiskGuard.ts"
import { FileIndex } from "./FileIndex.ts"
import { Files } from "./Files.ts"
import type { Sequence } from "./IndexLists.ts"
import type { StoredFile } from "./IndexedFile.ts"
import { makeMissingRoom, unshownOf } from "./MissingRoom.ts"
import type { FileKind } from "./Names.ts"
import { type Rules, stages, type Task, verdict } from "./RetentionPlan.ts"
import { RetentionPolicies } from "./RetentionPolicies.ts"
import { describeRules, flawOf, rulesOf } from "./RetentionRules.ts"
import { attempt } from "./StorageFailed.ts"

/** Files were deleted, and why. */
export interface RetentionFact extends Cleanup {
  readonly _tag: "FilesDeleted"
}

const every = Duration.minutes(1)
/** Rows at once: 0.3 ms of SQLite. */
const batch = 100
/** Files that cannot be deleted are passed over; a disk that deletes none of so many deletes nothing now. */
const mostFailures = 10
/** So many files stay for as long as somebody downloads them. More are taken away: who may download must not fill the disk. */
const mostDownloaded = 4

/** Deletes what is too old or too much, the oldest first, by what an admin has set or the settings say. */
export class Retention extends Context.Service<
  Retention,
  {
    /** from now on, and after a restart */
    readonly setPolicy: (
      policy: RetentionPolicy,
      device: CameraId | undefined
    ) => Effect.Effect<void, DependencyFailed | InvalidParams>
    /** does now what has to be done, and what is done only when it is asked for; one after the other */
    readonly cleanUp: Effect.Effect<Cleaned, DependencyFailed>
    /** what was deleted, once for each cleanup */
    readonly facts: Facts<RetentionFact>
  }
>()("camera-service/storage/Retention") {
  static readonly layer = Layer.effect(
    Retention,
    Effect.gen(function* () {
      const settings = yield* Settings
      const folder = yield* DataFolder
      const disk = yield* Disk
      const index = yield* FileIndex
      const files = yield* Files
      const guard = yield* DiskGuard
      const policies = yield* RetentionPolicies
      const facts = yield* makeFacts<RetentionFact>()
      const clock = yield* makeClockTrust
      const room = makeMissingRoom()
      const oneCleanup = yield* Semaphore.make(1)
      const wanted = yield* Queue.sliding<void>(1)

      /** Only what lies on the same disk makes room for recordings. */
      const kindsOnDisk = Effect.gen(function* () {
        const [recordings, snapshots] = yield* attempt(
          "ask the disk for its room",
          Effect.all([disk.space(folder.recordings), disk.space(folder.snapshots)])
        )
        return recordings.fileSystem === snapshots.fileSystem ? bothKinds : (["recording"] as const)
      })

      /** A file that more than so many others are downloaded beside goes all the same; one that is written does not. */
      const removeFrom = ({ downloaded }: Tally, { filename, kind }: StoredFile) => {
        const isSpared = downloaded.has(filename) || downloaded.size < mostDownloaded
        return isSpared ? files.delete(kind, filename) : files.takeAway(kind, filename)
      }

      const remove = (file: StoredFile, tally: Tally) =>
        removeFrom(tally, file).pipe(
          Effect.as(true),
          Effect.catchTags({
            InvalidState: ({ state }) =>
              Effect.sync(() => {
                tally.held.add(file.filename)
                if (state === "DOWNLOADING") tally.downloaded.add(file.filename)
              }),
            // somebody else was faster
            NotFound: () => Effect.void,
            DependencyFailed: (error) => (++tally.failures < mostFailures ? Effect.void : Effect.fail(error))
          }),
          Effect.map((isGone) => isGone === true),
          // a hundred thousand spans tell nobody more than one
          Effect.withTracerEnabled(false)
        )

      const perform = Effect.fnUntraced(function* (
        task: Task,
        rules: Rules,
        kinds: ReadonlyArray<FileKind>,
        tally: Tally,
        doubtedUntil: number | undefined
      ) {
        let gone = 0
        let after: Sequence["after"]
        // mostly not even the first is to go
        for (let limit = 1; ; limit = batch) {
          const next = yield* index.oldest({ kinds, device: task.device, after, limit })
          for (const file of next) {
            const fate = verdict(task, rules, gone, file)
            if (fate === "done") return
            if (fate === "goes" && task.why === "age" && doubtedUntil !== undefined)
              return yield* clock.warn(doubtedUntil)
            if (fate === "stays" || !(yield* remove(file, tally))) continue
            const bytes = file.bytes + file.beside
            gone += bytes
            tally.files++
            tally.bytes += bytes
            tally.reasons[task.why]++
            yield* Effect.yieldNow
          }
          if (next.length < limit) return
          after = next.at(-1)
          yield* Effect.yieldNow
        }
      })

      const run = Effect.fnUntraced(function* (rules: Rules, storage: Live["storage"], tally: Tally, isAsked: boolean) {
        const keepsRoom = storage.delete_percent > 0
        const before = keepsRoom ? yield* guard.look : undefined
        for (const stage of stages) {
          const now = yield* Clock.currentTimeMillis
          // looked at after `now`, lest it is set in between; who asks for a cleanup answers for the clock
          const doubtedUntil = isAsked ? undefined : yield* clock.doubtedUntil
          const space = before === undefined ? undefined : yield* guard.look
          const unshown = unshownOf(tally.bytes, before, space)
          const missing = space === undefined ? 0 : yield* room.missingOn(space, storage, unshown)
          for (const task of stage(rules, { now, stored: yield* index.stored, missing })) {
            if (task.bytes <= 0) continue
            yield* perform(task, rules, task.why === "room" ? yield* kindsOnDisk : bothKinds, tally, doubtedUntil)
            yield* Effect.yieldNow
          }
        }
        if (before === undefined || tally.bytes === 0) return
        yield* room.hide(unshownOf(tally.bytes, before, yield* guard.look))
      })

      const cleanUp = Effect.fn("Retention.cleanUp")(
        function* (isAsked: boolean) {
          const tally = startTally()
          const tell = Effect.suspend(() => {
            if (tally.files === 0) return Effect.void
            facts.tell({ _tag: "FilesDeleted", ...doneOf(tally) })
            return Effect.logInfo("old files were deleted", { ...doneOf(tally), failures: tally.failures })
          })
          const { storage } = liveNow(settings)
          const rules = rulesOf(storage, yield* policies.get, isAsked)
          yield* Effect.ensuring(run(rules, storage, tally, isAsked), tell)
          const isOn = [rules.all, ...rules.own.values()].some((rule) => rule !== "KEPT")
          return { ...doneOf(tally), isOn, limits: describeRules(rules, storage) } satisfies Cleaned
        },
        (cleaning) => oneCleanup.withPermit(cleaning)
      )

      yield* guard.facts.follow(({ _tag }) =>
        _tag === "SpaceLevelChanged" ? Queue.offer(wanted, undefined) : Effect.void
      )
      const byItself = cleanUp(false).pipe(
        Effect.catch((error) => Effect.logWarning("old files could not be deleted", error.detail))
      )
      const next = Effect.timeoutOption(Queue.take(wanted), every)
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(next, byItself)))

      const setPolicy = Effect.fn("Retention.setPolicy")(function* (
        policy: RetentionPolicy,
        device: CameraId | undefined
      ) {
        const flaw = flawOf(policy)
        if (flaw !== undefined) return yield* flaw
        yield* policies.set(policy, device)
        yield* Queue.offer(wanted, undefined)
      })

      return Retention.of({ setPolicy, cleanUp: cleanUp(true), facts })
    })
  )
}

const bothKinds = ["recording", "snapshot"] as const
