import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { constants, type FileHandle, link, open, realpath, rename, rm, unlink } from "node:fs/promises"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, InvalidParams, type InvalidState, NotFound } from "../../schema/Errors.ts"
import { markCamera } from "../media/Picture.ts"
import { DataFolder } from "./DataFolder.ts"
import { attempt, errnoOf, syncFolder, temporaryPrefix } from "./Disk.ts"
import { FileIndex } from "./FileIndex.ts"
import { Holds } from "./Holds.ts"
import type { IndexedFile } from "./IndexDatabase.ts"
import { type FileKind, isFileName, parseFileName } from "./Names.ts"

/** A picture to keep; `capturedAt` is epoch milliseconds. */
export interface NewSnapshot {
  readonly filename: string
  readonly device: CameraId
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
  readonly capturedAt: number
}

/** A file to read from, as it was when it was opened: what is written to it later is not part of it. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly bytes: number
  /** epoch milliseconds */
  readonly modified: number
}

/** How bytes get into an open file; tests put a disk in that is full. */
export const WriteBytes = Context.Reference<(handle: FileHandle, bytes: Uint8Array) => Promise<void>>(
  "camera-service/storage/WriteBytes",
  { defaultValue: () => (handle, bytes) => handle.writeFile(bytes) }
)

/** The files themselves. Names come from the index and lead nowhere but into their own folder. */
export class Files extends Context.Service<
  Files,
  {
    /** keeps a picture under a new name (a file that is there is never replaced) and tells the index */
    readonly saveSnapshot: (snapshot: NewSnapshot) => Effect.Effect<IndexedFile, InvalidParams | DependencyFailed>
    /** deletes the file and its entry, unless somebody holds it; gives what it was */
    readonly delete: (
      kind: FileKind,
      filename: string
    ) => Effect.Effect<IndexedFile, NotFound | InvalidState | DependencyFailed>
    /** opens for reading until the scope ends */
    readonly open: (
      kind: FileKind,
      filename: string
    ) => Effect.Effect<OpenFile, NotFound | DependencyFailed, Scope.Scope>
  }
>()("camera-service/storage/Files") {
  static readonly layer = Layer.effect(
    Files,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const index = yield* FileIndex
      const holds = yield* Holds
      const writeBytes = yield* WriteBytes
      const sync = yield* backgroundSync
      const folders: Readonly<Record<FileKind, string>> = { recording: folder.recordings, snapshot: folder.snapshots }

      /** the entry and path of a file that clients may name */
      const find = Effect.fnUntraced(function* (kind: FileKind, filename: string) {
        const file = isFileName(filename) ? yield* index.get(kind, filename) : undefined
        if (file === undefined) return yield* new NotFound({ resource: kind, id: filename })
        return { file, path: join(folders[kind], filename) }
      })

      const saveSnapshot = Effect.fn("Files.saveSnapshot")(function* (snapshot: NewSnapshot) {
        const { filename, device } = snapshot
        if (!isFileName(filename))
          return yield* nameRefused("a plain file name", "letters, digits, dots, dashes, underscores")
        // such a name does not tell the camera, or tells another one: the picture has to
        const bytes = parseFileName(filename)?.device === device ? snapshot.bytes : markCamera(snapshot.bytes, device)
        const saved = yield* attempt("save the snapshot", () =>
          createFile(folders.snapshot, filename, (handle) => writeBytes(handle, bytes))
        )
        if (saved === "exists") return yield* nameRefused("a new name", "a snapshot of this name is there already")
        yield* sync(saved.handle, folders.snapshot)
        const file: IndexedFile = {
          kind: "snapshot",
          filename,
          device,
          bytes: bytes.length,
          modified: saved.modified,
          created: snapshot.capturedAt,
          duration: 0,
          codec: "",
          width: snapshot.width,
          height: snapshot.height
        }
        yield* index.put(file)
        return file
      }, Effect.uninterruptible)

      const remove = Effect.fnUntraced(function* (kind: FileKind, filename: string, path: string) {
        const gone = yield* attempt(`delete the ${kind}`, async () => {
          try {
            // a symbolic link in its place, or anywhere on the way, leads elsewhere: not ours to delete
            if ((await realpath(path)) !== path) return "foreign"
            await unlink(path)
            return "deleted"
          } catch (cause) {
            if (errnoOf(cause) === "ENOENT") return "missing"
            throw cause
          }
        })
        // the file first: on a full disk the index can write again only then
        yield* index.remove(kind, filename)
        if (gone !== "deleted") return yield* new NotFound({ resource: kind, id: filename })
      })

      const removeFree = Effect.fn("Files.delete")(function* (kind: FileKind, filename: string) {
        const { file, path } = yield* find(kind, filename)
        yield* holds.whileFree(kind, filename, remove(kind, filename, path))
        return file
      }, Effect.uninterruptible)

      const openFile = Effect.fn("Files.open")(function* (kind: FileKind, filename: string) {
        const { path } = yield* find(kind, filename)
        const opened = yield* Effect.acquireRelease(
          attempt(`open the ${kind}`, () => openRegular(path)),
          (file) => (file === undefined ? Effect.void : Effect.promise(() => file.handle.close()))
        )
        if (opened === undefined) return yield* new NotFound({ resource: kind, id: filename })
        return opened
      })

      return Files.of({ saveSnapshot, delete: removeFree, open: openFile })
    })
  )
}

const nameRefused = (rule: string, hint: string) => new InvalidParams({ param: "filename", rule, hint })

/** Reading only, never through a link, and never waiting for the other end of a pipe. */
const openRegular = async (path: string): Promise<OpenFile | undefined> => {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    if (["ENOENT", "ELOOP"].includes(errnoOf(cause))) return undefined
    throw cause
  }
  try {
    const now = await handle.stat()
    if (now.isFile()) return { handle, bytes: now.size, modified: Math.floor(now.mtimeMs) }
  } catch (cause) {
    await handle.close()
    throw cause
  }
  await handle.close()
  return undefined
}

/** Writes aside, then gives it its name, whole, if nothing has that name; the handle is still open, for the sync. */
const createFile = async (folder: string, filename: string, write: (handle: FileHandle) => Promise<void>) => {
  const aside = join(folder, `${temporaryPrefix}${randomUUID()}`)
  const handle = await open(aside, "wx", 0o640)
  try {
    await write(handle)
    const [{ mtimeMs }, isNew] = await Promise.all([handle.stat(), nameNew(aside, join(folder, filename))])
    if (isNew) return { handle, modified: Math.floor(mtimeMs) }
    await handle.close()
    return "exists"
  } catch (cause) {
    await handle.close()
    throw cause
  } finally {
    await rm(aside, { force: true })
  }
}

/** False when the name is taken. link(2) refuses a taken name in one step; FAT has no links: there the name is taken first. */
const nameNew = async (aside: string, path: string): Promise<boolean> => {
  try {
    await link(aside, path)
    return true
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errnoOf(cause))) throw cause
  }
  try {
    await (await open(path, "wx", 0o640)).close()
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false
    throw cause
  }
  await rename(aside, path)
  return true
}

/** More pictures than the disk can sync while this many wait: saving slows down to the disk's pace. */
const syncsWaiting = 64

/**
 * Syncs new files after the reply: a picture at hand is answered within 5 ms, and an fsync alone takes 100 ms and more on
 * an SD card that records. A power cut in between costs that picture and nothing else; a stop of the service waits for the syncs.
 */
const backgroundSync = Effect.gen(function* () {
  const waiting = yield* Queue.bounded<{ readonly handle: FileHandle; readonly folder: string }>(syncsWaiting)
  const syncOne = ({ handle, folder }: { readonly handle: FileHandle; readonly folder: string }) =>
    attempt("sync a snapshot", async () => {
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
      await syncFolder(folder)
    }).pipe(Effect.ignore)
  // registered before the fiber, so it runs after the fiber has ended
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(Queue.clear(waiting), (left) => Effect.forEach(left, syncOne, { discard: true }))
  )
  // interruptible only while it waits: an interrupted `take` may have taken a handle already, and would lose it
  const next = Effect.uninterruptibleMask((restore) =>
    restore(Queue.peek(waiting)).pipe(Effect.andThen(Queue.take(waiting)), Effect.flatMap(syncOne))
  )
  yield* Effect.forkScoped(Effect.forever(next))
  return (handle: FileHandle, folder: string) => Queue.offer(waiting, { handle, folder })
})
