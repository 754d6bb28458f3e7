import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The disk did not do it. `code` is the errno's name (`ENOSPC`; man 3 errno), or the empty text. */
export class DiskError extends Schema.TaggedError<DiskError>()("DiskError", {
  code: Schema.String,
  cause: Schema.Defect()
}) {}

/** The errno's name, the `code` of what else was thrown (`node:sqlite`, jose), or the empty text. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""

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
