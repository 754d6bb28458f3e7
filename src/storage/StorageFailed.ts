import * as Effect from "effect/Effect"
import { DependencyFailed } from "../../schema/Errors.ts"
import { codeOf, type DiskError } from "../ground/DiskError.ts"
import { folderAway } from "./FolderPresence.ts"

/** What the disk may answer that a client or an operator can do something about (errno names: `man 3 errno`). */
const meanings: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "the service may not do this in its data folder",
  EPERM: "the service may not do this in its data folder",
  ENODEV: folderAway,
  ENOENT: "the file or its folder is gone",
  EIO: "the disk reports an error",
  ETIMEDOUT: "the disk does not answer",
  EMFILE: "too many files are open",
  EUCLEAN: "a file that the service keeps is damaged"
}

/** SQLite's words for its result code (https://www.sqlite.org/c3ref/errcode.html). */
const sqliteText = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "errstr" in cause ? String(cause.errstr) : undefined

/** Why the disk, or a database on it, failed; never a path. */
export const whyFailed = (cause: unknown): string => {
  const code = codeOf(cause)
  return meanings[code] ?? sqliteText(cause) ?? (code === "" ? "the disk failed" : code)
}

/** How a failure of the disk, or of a database on it, is told to clients: what was tried and why it failed, never a path. */
export const storageFailed = (doing: string, cause: unknown): DependencyFailed => {
  const full = ["ENOSPC", "EDQUOT"].includes(codeOf(cause))
  return new DependencyFailed({
    dependency: "storage",
    detail: `cannot ${doing}: ${whyFailed(cause)}`,
    ...(full ? { suggestion: "delete recordings or snapshots" } : {})
  })
}

/** Several steps on the disk, all or up to the one that fails: that is logged with its cause, and told as a failure of storage. */
export const attempt = <A, R>(
  doing: string,
  steps: Effect.Effect<A, DiskError, R>
): Effect.Effect<A, DependencyFailed, R> =>
  steps.pipe(
    Effect.catch((error) =>
      Effect.andThen(Effect.logWarning(`cannot ${doing}`, error.cause), Effect.fail(storageFailed(doing, error)))
    ),
    Effect.uninterruptible
  )
