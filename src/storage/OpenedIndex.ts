import * as Effect from "effect/Effect"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { Databases } from "../ground/Databases.ts"
import type { Disk } from "../ground/Disk.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import {
  type AskedIndex,
  type Found,
  indexInMemory,
  isDamaged,
  isFull,
  openIndex,
  type OpenIndex,
  renewIndex
} from "./IndexFile.ts"
import { journalWait } from "./JournalWait.ts"
import { storageFailed } from "./StorageFailed.ts"

/** How the index is used, wherever it is now: it may have been replaced by a new one. In short synchronous pieces. */
export interface UsedIndex {
  readonly ask: <A>(run: (index: AskedIndex) => A) => Effect.Effect<A, DependencyFailed>
  /** when the disk takes it at once */
  readonly change: <A>(run: (index: OpenIndex) => A) => Effect.Effect<A, DependencyFailed>
}

/** Who has the index open hears of it. */
interface Heard {
  /** it could not be used */
  readonly failed: (failure: DependencyFailed) => Effect.Effect<void>
  /** it was damaged, and is empty now */
  readonly renewed: Effect.Effect<unknown>
}

/**
 * Opens the index, for as long as the scope lives: one that is damaged is begun anew, when it is opened and whenever that
 * shows. A disk that is too full to open one does not stop the start: it is one in memory until there is room.
 */
export const makeOpenedIndex = Effect.fnUntraced(function* (
  databases: Databases["Service"],
  disk: Disk["Service"],
  path: string,
  { failed, renewed }: Heard
) {
  const open = Effect.try({ try: () => openIndex(databases, path), catch: (cause) => ({ cause }) })
  const inMemory = ({ cause }: { readonly cause: unknown }) =>
    isFull(cause)
      ? Effect.as(
          Effect.logWarning("the file index is kept in memory until its disk has room", cause),
          indexInMemory(databases)
        )
      : Effect.fail(storageFailed("open the index", cause))
  const found = yield* Effect.result(Effect.tap(open, tellFound))
  let isOnDisk = found._tag === "Success"
  let index = found._tag === "Success" ? found.success.database : yield* inMemory(found.failure)
  let isClosed = false
  // a checkpoint writes the database, too
  const awaitJournal = journalWait(disk, [path, `${path}-wal`])
  // on a disk that does not answer the next start finds it as after a kill -9
  yield* Effect.addFinalizer(() =>
    Effect.ignore(
      Effect.andThen(
        awaitJournal,
        Effect.sync(() => {
          isClosed = true
          closeQuietly(index)
        })
      )
    )
  )
  const trouble = makeTrouble()
  const fail = Effect.fnUntraced(function* (failure: DependencyFailed, cause: unknown) {
    yield* trouble.began("the file index failed", cause)
    yield* failed(failure)
    return yield* failure
  })
  const use = Effect.fnUntraced(function* <A>(run: (index: OpenIndex) => A) {
    // what is told of after the end is found by the next start
    if (isClosed) return yield* storageFailed("use the index", { code: "the service ends" })
    const first = yield* Effect.result(tryOn(index, run))
    if (first._tag === "Success") return first.success
    const { cause } = first.failure
    if (!isDamaged(cause)) return yield* fail(storageFailed("use the index", cause), cause)
    yield* Effect.logWarning("the file index is damaged: it is built anew from the disk", cause)
    index = yield* Effect.try({
      try: () => {
        index.abandon()
        return renewIndex(databases, path)
      },
      catch: (why) => storageFailed("make the index anew", why)
    })
    yield* renewed
    return yield* Effect.mapError(tryOn(index, run), (again) => storageFailed("use the index", again.cause))
  })

  const whenTaken = awaitJournal.pipe(Effect.catch((failure) => fail(failure, failure.detail)))
  const marked =
    <A>(run: (index: OpenIndex) => A) =>
    (it: OpenIndex) => {
      it.mark()
      return run(it)
    }
  const used: UsedIndex = { ask: use, change: (run) => Effect.andThen(whenTaken, use(marked(run))) }
  const room = Effect.suspend(() =>
    tryOn(
      index,
      marked((it) => it.reserve())
    )
  )
  const onDisk = Effect.gen(function* () {
    if (isOnDisk || isClosed) return false
    const { database, outlivedPowerCut } = yield* Effect.tap(open, tellFound).pipe(
      Effect.mapError(({ cause }) => storageFailed("open the index", cause))
    )
    index.abandon()
    index = database
    isOnDisk = true
    return outlivedPowerCut
  })
  return {
    used,
    /** takes the room that it has for itself: that there is none now is no failure, it may be there next time */
    reserve: Effect.andThen(whenTaken, Effect.ignore(room)),
    /** that it does is said, where it did not before */
    works: trouble.isOver("the file index works again"),
    /** into a new file, while it is used */
    copyTo: (copy: string) =>
      Effect.tryPromise({
        try: () => index.copyTo(copy),
        catch: (cause) => storageFailed("copy the index", cause)
      }),
    /** has it lie on the disk, where there was no room for it before; whether the kernel started anew since it was written there */
    onDisk,
    /** the kernel started anew since it was written */
    outlivedPowerCut: found._tag === "Success" && found.success.outlivedPowerCut
  }
})

const tellFound = Effect.fnUntraced(function* ({ damage, fresh, newer, notKept }: Found) {
  if (newer !== undefined) {
    yield* Effect.logWarning("the file index was a newer version's: why recordings have gaps is forgotten", {
      version: newer
    })
  }
  if (notKept !== undefined) {
    yield* Effect.logWarning("the file index is upgraded without a copy of what it was", notKept)
  }
  if (damage !== undefined) {
    const instead = fresh ? "it is built anew from the disk" : "what it was before it was upgraded takes its place"
    yield* Effect.logWarning(`the file index is damaged: ${instead}`, damage)
  } else if (fresh) yield* Effect.logInfo("the file index is new: it is filled from the disk")
})

const tryOn = <A>(index: OpenIndex, run: (index: OpenIndex) => A) =>
  Effect.try({ try: () => run(index), catch: (cause) => ({ cause }) })

/** What cannot be closed is damaged, or on a disk that fails: the next start finds out by itself. */
const closeQuietly = (index: OpenIndex) => {
  try {
    index.close()
  } catch {
    return
  }
}
