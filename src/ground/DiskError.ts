import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The disk did not do it. `code` is the errno's name (`ENOSPC`; man 3 errno), or the empty text. */
export class DiskError extends Schema.TaggedError<DiskError>()("DiskError", {
  code: Schema.String,
  cause: Schema.Defect()
}) {}

/** The primary result code of what `node:sqlite` threw (https://www.sqlite.org/rescode.html); 0 when it is not from there. */
export const errcodeOf = (cause: unknown): number =>
  typeof cause === "object" && cause !== null && "errcode" in cause && typeof cause.errcode === "number"
    ? cause.errcode & 0xff
    : 0

/** SQLITE_BUSY, READONLY, IOERR, CORRUPT, FULL and NOTADB, as the kernel says the same of its files. */
const errnos: Readonly<Record<number, string>> = {
  5: "EBUSY",
  8: "EROFS",
  10: "EIO",
  11: "EUCLEAN",
  13: "ENOSPC",
  26: "EUCLEAN"
}

/** The errno's name, the `code` of what else was thrown (jose), or the empty text. */
export const codeOf = (cause: unknown): string => {
  const sqlite = errcodeOf(cause)
  if (sqlite !== 0) return errnos[sqlite] ?? ""
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
}

/** What Node threw. */
export const diskError = (cause: unknown): DiskError => new DiskError({ code: codeOf(cause), cause })

/** What the disk was asked for; nobody interrupts it, since the disk goes on anyway. */
export const onDisk = <A>(run: () => Promise<A>): Effect.Effect<A, DiskError> =>
  Effect.uninterruptible(Effect.tryPromise({ try: run, catch: diskError }))

/** What the disk gave; undefined where there is no such file. `missing`: the errnos that say so. */
export const ifThere = <A, R>(
  asked: Effect.Effect<A, DiskError, R>,
  missing: ReadonlyArray<string> = ["ENOENT"]
): Effect.Effect<A | undefined, DiskError, R> =>
  asked.pipe(Effect.catch((error) => (missing.includes(error.code) ? Effect.undefined : Effect.fail(error))))
