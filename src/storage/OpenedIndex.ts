import * as Effect from "effect/Effect"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { Databases } from "../ground/Databases.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { isDamaged, openIndex, type OpenIndex, renewIndex } from "./IndexFile.ts"
import { storageFailed } from "./StorageFailed.ts"

/** Who has the index open hears of it. */
interface Heard {
  /** it could not be used */
  readonly failed: (failure: DependencyFailed) => Effect.Effect<void>
  /** it was damaged, and is empty now */
  readonly renewed: Effect.Effect<unknown>
}

/**
 * Opens the index, for as long as the scope lives: one that is damaged is begun anew, when it is opened and whenever that
 * shows. It is used in short synchronous pieces.
 */
export const makeOpenedIndex = Effect.fnUntraced(function* (
  databases: Databases["Service"],
  path: string,
  { failed, renewed }: Heard
) {
  const opened = yield* Effect.try({
    try: () => openIndex(databases, path),
    catch: (cause) => storageFailed("open the index", cause)
  })
  let index = opened.database
  yield* Effect.addFinalizer(() => Effect.sync(() => closeQuietly(index)))
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
  const use = Effect.fnUntraced(function* <A>(run: (index: OpenIndex) => A) {
    const first = yield* Effect.result(tryOn(index, run))
    if (first._tag === "Success") return first.success
    if (!isDamaged(first.failure.cause)) {
      yield* trouble.began("the file index failed", first.failure.cause)
      const failure = storageFailed("use the index", first.failure.cause)
      yield* failed(failure)
      return yield* failure
    }
    yield* Effect.logWarning("the file index is damaged: it is built anew from the disk", first.failure.cause)
    index = yield* Effect.try({
      try: () => {
        index.abandon()
        return renewIndex(databases, path)
      },
      catch: (cause) => storageFailed("make the index anew", cause)
    })
    yield* renewed
    return yield* Effect.mapError(tryOn(index, run), ({ cause }) => storageFailed("use the index", cause))
  })

  return {
    use,
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
