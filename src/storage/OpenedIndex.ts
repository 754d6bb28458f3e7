import * as Effect from "effect/Effect"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { Databases } from "../ground/Databases.ts"
import type { Disk } from "../ground/Disk.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { type AskedIndex, isDamaged, openIndex, type OpenIndex, renewIndex } from "./IndexFile.ts"
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
 * shows.
 */
export const makeOpenedIndex = Effect.fnUntraced(function* (
  databases: Databases["Service"],
  disk: Disk["Service"],
  path: string,
  { failed, renewed }: Heard
) {
  const opened = yield* Effect.try({
    try: () => openIndex(databases, path),
    catch: (cause) => storageFailed("open the index", cause)
  })
  let index = opened.database
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
  if (opened.newer !== undefined) {
    yield* Effect.logWarning("the file index was a newer version's: why recordings have gaps is forgotten", {
      version: opened.newer
    })
  }
  if (opened.notKept !== undefined) {
    yield* Effect.logWarning("the file index is upgraded without a copy of what it was", opened.notKept)
  }
  if (opened.fresh) yield* Effect.logInfo("the file index is new: it is filled from the disk")

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
  const used: UsedIndex = { ask: use, change: (run) => Effect.andThen(whenTaken, use(run)) }
  const room = Effect.suspend(() => tryOn(index, (it) => it.reserve()))
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
    /** the kernel started anew since it was written */
    outlivedPowerCut: opened.outlivedPowerCut
  }
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
