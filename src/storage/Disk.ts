import * as Effect from "effect/Effect"
import { open } from "node:fs/promises"
import { DependencyFailed } from "../../schema/Errors.ts"

/** What the disk may answer that a client or an operator can do something about (errno names: `man 3 errno`). */
const meanings: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "the service may not do this in its data folder",
  EPERM: "the service may not do this in its data folder",
  EIO: "the disk reports an error",
  EMFILE: "too many files are open"
}

/** The errno's name (`ENOENT`), or the empty text. */
export const errnoOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""

/** SQLite's words for its result code (https://www.sqlite.org/c3ref/errcode.html). */
const sqliteText = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "errstr" in cause ? String(cause.errstr) : undefined
const sqliteFull = "database or disk is full"

/** How a failure of the file system is told to clients: what was tried and why it failed, never a path. */
export const storageFailed = (doing: string, cause: unknown): DependencyFailed => {
  const code = sqliteText(cause) ?? errnoOf(cause)
  const full = ["ENOSPC", "EDQUOT", sqliteFull].includes(code)
  return new DependencyFailed({
    dependency: "storage",
    detail: `cannot ${doing}: ${meanings[code] ?? (code === "" ? "the disk failed" : code)}`,
    ...(full ? { suggestion: "delete recordings or snapshots, or set a retention policy" } : {})
  })
}

/**
 * Runs what touches the disk; a failure is logged with its cause and becomes `DependencyFailed` of `storage`. It cannot be
 * interrupted: the disk goes on anyway, and what it opened meanwhile would belong to nobody.
 */
export const attempt = <A>(doing: string, run: () => Promise<A>): Effect.Effect<A, DependencyFailed> =>
  Effect.tryPromise({ try: run, catch: (cause) => ({ cause }) }).pipe(
    Effect.catch(({ cause }) =>
      Effect.andThen(Effect.logWarning(`cannot ${doing}`, cause), Effect.fail(storageFailed(doing, cause)))
    ),
    Effect.uninterruptible
  )

/** The start of a temporary file's name; such files are hidden, never listed, and removed at the next start. */
export const temporaryPrefix = ".tmp-"

/** Makes the names in a folder last: a rename is on disk only once its folder is. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
