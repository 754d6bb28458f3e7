import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Dir } from "node:fs"
import { lstat, open, opendir } from "node:fs/promises"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { pictureFacts, pictureHeadBytes } from "../media/Picture.ts"
import { attempt, errnoOf } from "./Disk.ts"
import type { Description, IndexedFile, IndexDatabase } from "./IndexDatabase.ts"
import { contentTypeOf, type FileKind, isFileName, parseFileName } from "./Names.ts"

/**
 * Looks into a recording that the index knows nothing about but its name. The default knows nothing either; the layer
 * that has ffprobe puts the real one in.
 */
export const DescribeRecording = Context.Reference<(path: string) => Effect.Effect<Description, unknown>>(
  "camera-service/storage/DescribeRecording",
  { defaultValue: () => () => Effect.succeed(nothingKnown) }
)

const nothingKnown: Description = { duration: 0, codec: "", width: 0, height: 0 }

/** What a walk over the disk found. */
export interface Reconciled {
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** files in the folder whose camera cannot be told; they are left alone and not listed */
  readonly unknown: number
}

/** Files a turn: some 2 ms of SQLite for a batch of new ones, then others may run. */
const batch = 100

/** Runs a short synchronous piece on the index, wherever it is now (it may have been replaced by a new one). */
type UseIndex = <A>(use: (index: IndexDatabase) => A) => Effect.Effect<A, DependencyFailed>

/**
 * Makes the index say what the folder holds: unknown files enter, changed ones are corrected, missing ones leave. The
 * entering comes first, so that a file deleted meanwhile is found missing by the second walk; one that `isDeleted` since
 * this walk began does not enter at all. Constant memory.
 */
export const reconcile = Effect.fnUntraced(function* (
  use: UseIndex,
  kind: FileKind,
  folder: string,
  isDeleted: (filename: string) => boolean
) {
  const entered = yield* enterUnknown(use, kind, folder, isDeleted)
  const swept = yield* sweep(use, kind, folder)
  return { ...entered, ...swept } satisfies Reconciled
})

/** Looks into the files that nobody has looked into, newest first; one that cannot be read stays as it is. */
export const describeAll = Effect.fnUntraced(function* (
  use: UseIndex,
  folder: string,
  look: (path: string) => Effect.Effect<Description, unknown>
) {
  while (true) {
    const file = yield* use((index) => index.undescribed("recording"))
    if (file === undefined) return
    const found = yield* look(join(folder, file.filename)).pipe(
      Effect.catch((cause) =>
        Effect.as(Effect.logWarning("cannot look into a recording", { filename: file.filename }, cause), nothingKnown)
      )
    )
    yield* use((index) => index.describe("recording", file.filename, found))
  }
})

const enterUnknown = Effect.fnUntraced(function* (
  use: UseIndex,
  kind: FileKind,
  folder: string,
  isDeleted: (filename: string) => boolean
) {
  const directory = yield* Effect.acquireRelease(
    attempt(`read the ${kind}s folder`, () => opendir(folder, { bufferSize: batch })),
    (opened) => Effect.promise(() => opened.close())
  )
  let added = 0
  let unknown = 0
  while (true) {
    const { names, last } = yield* attempt(`read the ${kind}s folder`, () => nextNames(directory, kind))
    const strange = yield* use((index) => names.filter((name) => !index.has(kind, name)))
    const found = yield* attempt(`look at a ${kind}`, () => fewAtOnce(strange, (name) => fromDisk(kind, folder, name)))
    const known = found.filter((file) => file !== undefined && file !== "unknown")
    const files = known.filter(({ file }) => !isDeleted(file.filename))
    unknown += found.filter((file) => file === "unknown").length
    added += files.length
    if (files.length > 0) yield* use((index) => index.addNew(files))
    yield* letOthersRun
    if (last) return { added, unknown }
  }
}, Effect.scoped)

const nextNames = async (directory: Dir, kind: FileKind) => {
  const names: Array<string> = []
  while (names.length < batch) {
    const entry = await directory.read()
    if (entry === null) return { names, last: true }
    if (entry.isFile() && isFileName(entry.name) && contentTypeOf(kind, entry.name)) names.push(entry.name)
  }
  return { names, last: false }
}

const sweep = Effect.fnUntraced(function* (use: UseIndex, kind: FileKind, folder: string) {
  let removed = 0
  let changed = 0
  let last = ""
  while (true) {
    const files = yield* use((index) => index.after(kind, last, batch))
    const now = yield* attempt(`look at a ${kind}`, () =>
      fewAtOnce(files, ({ filename }) => stat(join(folder, filename)))
    )
    for (const [i, file] of files.entries()) {
      const found = now[i]
      if (found === undefined || !found.isFile()) {
        yield* use((index) => index.remove(kind, file.filename))
        removed++
      } else if (found.size !== file.bytes || Math.floor(found.mtimeMs) !== file.modified) {
        yield* use((index) => index.resize(kind, file.filename, found.size, found.mtimeMs))
        changed++
      }
    }
    yield* letOthersRun
    if (files.length < batch) return { removed, changed }
    last = files.at(-1)?.filename ?? last
  }
})

/**
 * A few at a time. One by one costs 40 µs of CPU each for the way to a thread and back, together 4 (measured, Node 24);
 * more would make others wait for one of Node's four threads.
 */
const fewAtOnce = async <A, B>(all: ReadonlyArray<A>, run: (one: A) => Promise<B>): Promise<ReadonlyArray<B>> => {
  const results: Array<B> = []
  for (let i = 0; i < all.length; i += together) {
    results.push(...(await Promise.all(all.slice(i, i + together).map(run))))
  }
  return results
}
const together = 20

/** A turn of the event loop: timers, sockets and pipes come first. */
const letOthersRun = Effect.promise(() => setImmediate())

const stat = async (path: string) => {
  try {
    return await lstat(path)
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined
    throw cause
  }
}

/** A file as its name, its inode and (pictures) its first bytes tell it; undefined when it went meanwhile. */
const fromDisk = async (
  kind: FileKind,
  folder: string,
  filename: string
): Promise<{ readonly file: IndexedFile; readonly described: boolean } | "unknown" | undefined> => {
  const path = join(folder, filename)
  const now = await stat(path)
  if (now === undefined) return undefined
  const named = parseFileName(filename)
  const picture = kind === "snapshot" ? pictureFacts(await head(path)) : undefined
  const device = picture?.device ?? named?.device
  if (device === undefined) return "unknown"
  return {
    file: {
      ...nothingKnown,
      kind,
      filename,
      device,
      bytes: now.size,
      modified: now.mtimeMs,
      created: named?.startedAt ?? Math.floor(now.mtimeMs),
      width: picture?.width ?? 0,
      height: picture?.height ?? 0
    },
    described: kind === "snapshot"
  }
}

const head = async (path: string): Promise<Uint8Array> => {
  const handle = await open(path, "r")
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(pictureHeadBytes), 0, pictureHeadBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
