import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { Databases } from "../ground/Databases.ts"
import { Disk } from "../ground/Disk.ts"
import { Served } from "../self/Served.ts"
import { DataFolder } from "./DataFolder.ts"
import { DescribeRecording, makeDescriber } from "./DescribeRecording.ts"
import { Holds } from "./Holds.ts"
import type { AskedIndex, OpenIndex } from "./IndexFile.ts"
import type { Page, Sequence } from "./IndexLists.ts"
import type { Grown, IndexedFile, Stored, StoredFile } from "./IndexedFile.ts"
import { forgetLostPictures } from "./LostPictures.ts"
import type { FileKind } from "./Names.ts"
import { reconcile, type Reconciled, reconcileRecordings, reconcileSidecars } from "./Reconcile.ts"
import { temporaryPrefix } from "./NewFile.ts"
import { makeOpenedIndex } from "./OpenedIndex.ts"
import { attempt } from "./StorageFailed.ts"
import type { TimelineDatabase, TimelineReads } from "./TimelineDatabase.ts"

export interface IndexState {
  readonly state: "STARTING" | "RUNNING" | "ERROR"
  readonly detail?: string
}

/** In the data folder. */
export const indexName = "index.sqlite"
/** The file that `FileIndex.copy` makes; one that nobody has taken goes at the next start. */
export const copyName = `${temporaryPrefix}index.copy.sqlite`

/**
 * Which recordings and snapshots there are. Derived data: what the folders hold is the truth, and the index is brought
 * to it in the background at each start, and whenever a write to it failed. It is never a reason to refuse a request: a
 * `put` or `remove` that the disk refuses (it is full), or does not answer for 10 s, is logged and made good later. What is
 * told waits for a slow disk beside the main thread, and is written even if who told it is interrupted. But the timeline's own
 * (why a recording ended) stands in no folder: what the disk does not take of that is not made good.
 */
export class FileIndex extends Context.Service<
  FileIndex,
  {
    /** adds or replaces a file, all its fields */
    readonly put: (file: IndexedFile) => Effect.Effect<void>
    /** so many bytes lie beside this recording, and count with it */
    readonly putBeside: (recording: string, bytes: number) => Effect.Effect<void>
    /** recordings that are being written have become larger: what is said of one that is over stays */
    readonly grew: (recordings: ReadonlyArray<Grown>) => Effect.Effect<void>
    /** forgets a file; the file itself is `Files`' */
    readonly remove: (kind: FileKind, filename: string) => Effect.Effect<void>
    /** what it knows of a file; undefined: of none with this name */
    readonly get: (kind: FileKind, filename: string) => Effect.Effect<StoredFile | undefined, DependencyFailed>
    /** what it says of a file may be wrong: it is brought to what the folders hold beside, as soon as the disk allows it */
    readonly doubt: Effect.Effect<void>
    /** has it say what the folder holds of these recordings, and looks into those that are as it said: gives those that are not */
    readonly look: (recordings: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, DependencyFailed>
    /** newest first, with the number of all files that match; 50 of 100,000 take 0.2 ms */
    readonly list: (
      kind: FileKind,
      page: Page
    ) => Effect.Effect<{ readonly files: ReadonlyArray<StoredFile>; readonly total: number }, DependencyFailed>
    /** oldest first: 100 of 100,000 take 0.3 ms */
    readonly oldest: (sequence: Sequence) => Effect.Effect<ReadonlyArray<StoredFile>, DependencyFailed>
    /** how many files there are, and their bytes; from counters */
    readonly totals: (
      kind: FileKind
    ) => Effect.Effect<{ readonly files: number; readonly bytes: number }, DependencyFailed>
    /** the same of each camera */
    readonly stored: Effect.Effect<ReadonlyArray<Stored>, DependencyFailed>
    /** asks when something was recorded; one short piece of work */
    readonly timeline: <A>(ask: (timeline: TimelineReads) => A) => Effect.Effect<A, DependencyFailed>
    /** tells it something; fails where the disk does not take it, and nobody makes that good */
    readonly tellTimeline: (tell: (timeline: TimelineDatabase) => void) => Effect.Effect<void, DependencyFailed>
    /** STARTING: it is brought to what the folders hold; `detail`: what failed last */
    readonly state: () => IndexState
    /** puts a copy of the index, as it is now, beside it: for a backup, which may not open what is in use */
    readonly copy: Effect.Effect<void, DependencyFailed>
    /** brings the index to what the folders hold now, and ends when every recording that is over was looked into */
    readonly reconcile: Effect.Effect<Readonly<Record<FileKind, Reconciled>>, DependencyFailed>
  }
>()("camera-service/storage/FileIndex") {
  static readonly layer = Layer.effect(
    FileIndex,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const disk = yield* Disk
      const databases = yield* Databases
      const { isRecorded } = yield* Holds
      const look = yield* DescribeRecording
      /** capacity 1: one more walk is enough for any number of reasons */
      const wanted = yield* Queue.sliding<void>(1)
      const want = Queue.offer(wanted, undefined)
      let state: IndexState = { state: "STARTING" }
      const failed = ({ detail }: DependencyFailed) =>
        Effect.sync(() => {
          state = { state: "ERROR", detail }
        })

      const path = join(folder.root, indexName)
      const opened = yield* makeOpenedIndex(databases, disk, path, { failed, renewed: want })
      const { copyTo, onDisk, reserve, used, works } = opened
      let { outlivedPowerCut } = opened
      const { describe, describeAll } = makeDescriber(used, folder.recordings, look, isRecorded)
      /** The walk that follows a failure shows when it is over. */
      const read = <A>(run: (index: AskedIndex) => A) => Effect.tapError(used.ask(run), () => want)
      const tell = (run: (index: OpenIndex) => void) =>
        Effect.uninterruptible(Effect.tapError(used.change(run), () => want))
      const tellOrMakeGood = (run: (index: OpenIndex) => void) => Effect.ignore(tell(run))

      const oneWalk = yield* Semaphore.make(1)
      /** what was removed while somebody looks at the disk, who may have seen it before: one set for each */
      const removed = new Set<Set<string>>()
      const whileLooking = <A, E>(looking: (isRemoved: (kind: FileKind) => IsRemoved) => Effect.Effect<A, E>) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            const meanwhile = new Set<string>()
            removed.add(meanwhile)
            return meanwhile
          }),
          (meanwhile) => looking((kind) => (filename) => meanwhile.has(`${kind}/${filename}`)),
          (meanwhile) => Effect.sync(() => removed.delete(meanwhile))
        )
      const walk = Effect.gen(function* () {
        const found = yield* whileLooking((isRemoved) =>
          Effect.all({
            recording: reconcile(used, disk, "recording", folder.recordings, isRemoved("recording")),
            snapshot: reconcile(used, disk, "snapshot", folder.snapshots, isRemoved("snapshot"))
          })
        )
        if (outlivedPowerCut) yield* forgetLostPictures(used, disk, folder.snapshots)
        outlivedPowerCut = false
        yield* reconcileSidecars(used, disk, folder.recordings)
        yield* describeAll
        return found
      }).pipe(
        Effect.tap((found) =>
          Object.values(found).some((kind) => Object.values(kind).some((count) => count > 0))
            ? Effect.logInfo("the file index was brought to what the disk holds", found)
            : Effect.void
        ),
        oneWalk.withPermits(1),
        Effect.withSpan("FileIndex.reconcile")
      )
      // a walk that fails (the disk is full, say) is tried again while nobody waits for it
      const makeGood = Effect.result(onDisk).pipe(
        Effect.tap((lost) =>
          Effect.suspend(() => {
            outlivedPowerCut ||= lost._tag === "Success" && lost.success
            return walk
          })
        ),
        // whoever asks is answered from memory meanwhile
        Effect.flatMap(Effect.fromResult),
        Effect.tapError(failed),
        // a disk that does not answer fails here, also where the walk had nothing to change
        Effect.andThen(reserve),
        Effect.andThen(works),
        Effect.map(() => {
          state = { state: "RUNNING" }
        }),
        Effect.catch(() => Effect.andThen(Effect.sleep("10 seconds"), want))
      )
      yield* want
      const { await: awaitServed } = yield* Served
      const keepGood = Effect.forever(Effect.andThen(Queue.take(wanted), makeGood))
      yield* Effect.forkScoped(Effect.andThen(awaitServed, keepGood))

      const lookAt = Effect.fnUntraced(function* (recordings: ReadonlyArray<string>) {
        const changed = yield* whileLooking((isRemoved) =>
          reconcileRecordings(used, disk, folder.recordings, recordings, isRemoved("recording"))
        )
        for (const filename of recordings) {
          const file = yield* used.ask((it) => it.get("recording", filename))
          const isUnknown = file !== undefined && file.codec === "" && file.bytes > 0
          if (isUnknown && !changed.includes(filename)) yield* describe(filename)
        }
        return changed
      })

      return FileIndex.of({
        put: (file) => tellOrMakeGood((it) => it.put(file)),
        putBeside: (recording, bytes) => tellOrMakeGood((it) => it.putBeside(recording, bytes)),
        grew: (recordings) => tellOrMakeGood((it) => it.grow(recordings)),
        remove: (kind, filename) =>
          Effect.suspend(() => {
            for (const meanwhile of removed) meanwhile.add(`${kind}/${filename}`)
            return tellOrMakeGood((it) => it.remove(kind, filename))
          }),
        doubt: Effect.asVoid(want),
        look: (recordings) => Effect.tapError(lookAt(recordings), () => want),
        get: (kind, filename) => read((it) => it.get(kind, filename)),
        list: Effect.fn("FileIndex.list")((kind: FileKind, page: Page) => read((it) => it.page(kind, page))),
        oldest: (sequence) => read((it) => it.oldest(sequence)),
        totals: (kind) => read((it) => it.totals(kind)),
        stored: read((it) => it.stored()),
        timeline: (ask) => read((it) => ask(it.timeline)),
        tellTimeline: (say) => tell((it) => say(it.timeline)),
        state: () => state,
        copy: Effect.gen(function* () {
          const aside = join(folder.root, `${copyName}.new`)
          const inMemory = Effect.gen(function* () {
            const path = join(yield* attempt("copy the index", disk.temporaryFolder("camera-index-")), copyName)
            yield* copyTo(path)
            return path
          })
          // SQLite syncs its copy while it holds the index, and all who ask would wait for the disk: only without room in
          // memory (100,000 files take 31 MB there for as long; Docker gives a container 64 MB)
          const onDisk = (failure: DependencyFailed) =>
            Effect.logWarning("the index is copied on the disk, which others may have to wait for", failure).pipe(
              Effect.andThen(copyTo(aside))
            )
          const made = Effect.result(inMemory).pipe(
            Effect.flatMap((copy) =>
              copy._tag === "Success" ? attempt("copy the index", disk.copy(copy.success, aside)) : onDisk(copy.failure)
            ),
            Effect.scoped
          )
          yield* made.pipe(
            Effect.andThen(attempt("copy the index", disk.rename(aside, join(folder.root, copyName)))),
            Effect.tapError(() => Effect.ignore(disk.remove(aside)))
          )
        }),
        reconcile: walk
      })
    })
  )
}

type IsRemoved = (filename: string) => boolean
