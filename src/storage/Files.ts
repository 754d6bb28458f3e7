import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, InvalidParams, type InvalidState, NotFound } from "../../schema/Errors.ts"
import { Disk } from "../ground/Disk.ts"
import type { DiskError } from "../ground/DiskError.ts"
import { backgroundSync, type Unsynced } from "./BackgroundSync.ts"
import { DataFolder } from "./DataFolder.ts"
import { DiskGuard } from "./DiskGuard.ts"
import { FileIndex } from "./FileIndex.ts"
import { Holds } from "./Holds.ts"
import type { IndexedFile } from "./IndexDatabase.ts"
import { contentTypeOf, type FileKind, isFileName, matroska, parseFileName } from "./Names.ts"
import { nameNew, temporaryPrefix } from "./NewFile.ts"
import { markCamera } from "../media/Picture.ts"
import { attempt } from "./StorageFailed.ts"

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
  /** `length` bytes from `position` on; fewer where the file has become shorter */
  readonly read: (position: number, length: number) => Effect.Effect<Uint8Array, DependencyFailed>
  readonly bytes: number
  /** epoch milliseconds */
  readonly modified: number
  /** the media type of what is in it now: a recording has its name from its first byte on, and is remuxed at its end */
  readonly contentType: string
}

type Deletes = (
  kind: FileKind,
  filename: string
) => Effect.Effect<IndexedFile, NotFound | InvalidState | DependencyFailed>

/** The files themselves. Names come from the index and lead nowhere but into their own folder. */
export class Files extends Context.Service<
  Files,
  {
    /** keeps a picture under a new name (a file that is there is never replaced) and tells the index */
    readonly saveSnapshot: (snapshot: NewSnapshot) => Effect.Effect<IndexedFile, InvalidParams | DependencyFailed>
    /** deletes the file and its entry, unless somebody holds it; gives what it was */
    readonly delete: Deletes
    /** the same, whoever downloads it: their downloads break off */
    readonly takeAway: Deletes
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
      const guard = yield* DiskGuard
      const disk = yield* Disk
      const { uuidV4 } = yield* SecureRandom
      const syncLater = yield* backgroundSync(disk, folder.snapshots)
      const folders: Readonly<Record<FileKind, string>> = { recording: folder.recordings, snapshot: folder.snapshots }

      /** the entry and path of a file that clients may name */
      const find = Effect.fnUntraced(function* (kind: FileKind, filename: string) {
        const file = isFileName(filename) ? yield* index.get(kind, filename) : undefined
        if (file === undefined) return yield* new NotFound({ resource: kind, id: filename })
        return { file, path: join(folders[kind], filename) }
      })

      const writeNew = Effect.fnUntraced(function* (bytes: Uint8Array, path: string) {
        const aside = join(folder.snapshots, `${temporaryPrefix}${yield* uuidV4()}`)
        return yield* createFile(disk, aside, path, bytes)
      })

      /** What became of the bytes that were written last; they are known by their object, which nobody changes. */
      const written = new WeakMap<Uint8Array, Deferred.Deferred<Written | undefined, DiskError>>()

      /**
       * Who asks for a picture that another one has just been given, which many do at once, gets one more name of the same
       * file: a step instead of five, and its bytes lie on the disk once. Each name is deleted for itself.
       */
      const write = Effect.fnUntraced(function* (bytes: Uint8Array, path: string) {
        const known = written.get(bytes)
        if (known === undefined) {
          const mine = Deferred.makeUnsafe<Written | undefined, DiskError>()
          written.set(bytes, mine)
          return yield* writeNew(bytes, path).pipe(Effect.onExit((exit) => Deferred.done(mine, exit)))
        }
        const first = yield* Effect.orElseSucceed(Deferred.await(known), () => undefined)
        if (first === undefined) return yield* writeNew(bytes, path)
        return yield* disk.link(first.path, path).pipe(
          Effect.as<Written>({ path, modified: first.modified, unsynced: undefined }),
          // it may be deleted by now, have as many names as it may, or be on a disk without links
          Effect.catch(({ code }) => (code === "EEXIST" ? Effect.succeed(undefined) : writeNew(bytes, path)))
        )
      })

      const saveSnapshot = Effect.fn("Files.saveSnapshot")(function* (snapshot: NewSnapshot) {
        const { filename, device } = snapshot
        if (!isFileName(filename))
          return yield* nameRefused("a plain file name", "letters, digits, dots, dashes, underscores")
        // such a name does not tell the camera, or tells another one: the picture has to
        const bytes = parseFileName(filename)?.device === device ? snapshot.bytes : markCamera(snapshot.bytes, device)
        const path = join(folder.snapshots, filename)
        yield* guard.admitSnapshot
        const saved = yield* attempt("save the snapshot", write(bytes, path))
        if (saved === undefined) return yield* nameRefused("a new name", "a snapshot of this name is there already")
        yield* syncLater({ filename, file: saved.unsynced })
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
        // a symbolic link in its place, or anywhere on the way, leads elsewhere: not ours to delete
        const removed = disk.realPath(path).pipe(
          Effect.flatMap((real) => (real === path ? Effect.as(disk.remove(path), true) : Effect.succeed(false))),
          Effect.catch((error) => (error.code === "ENOENT" ? Effect.succeed(false) : Effect.fail(error)))
        )
        const isDeleted = yield* attempt(`delete the ${kind}`, removed)
        // the file first: on a full disk the index can write again only then
        yield* index.remove(kind, filename)
        if (!isDeleted) return yield* new NotFound({ resource: kind, id: filename })
      })

      const removeFree = Effect.fn("Files.delete")(function* (kind: FileKind, filename: string) {
        const { file, path } = yield* find(kind, filename)
        yield* holds.whileFree(kind, filename, remove(kind, filename, path))
        return file
      }, Effect.uninterruptible)

      const takeAway = Effect.fn("Files.takeAway")(function* (kind: FileKind, filename: string) {
        const { file, path } = yield* find(kind, filename)
        yield* holds.whileUnwritten(kind, filename, remove(kind, filename, path))
        return file
      }, Effect.uninterruptible)

      const openFile = Effect.fn("Files.open")(function* (kind: FileKind, filename: string) {
        const { path } = yield* find(kind, filename)
        const opened = yield* attempt(`open the ${kind}`, openRegular(disk, path))
        if (opened === undefined) return yield* new NotFound({ resource: kind, id: filename })
        const { file, state } = opened
        const named = contentTypeOf(kind, filename) ?? "application/octet-stream"
        const isRaw = named === matroska && isMp4(yield* attempt(`read the ${kind}`, file.read(0, 8)))
        return {
          read: (position, length) => attempt(`read the ${kind}`, file.read(position, length)),
          bytes: state.bytes,
          modified: Math.floor(state.modified),
          contentType: isRaw ? "video/mp4" : named
        } satisfies OpenFile
      })

      return Files.of({ saveSnapshot, delete: removeFree, takeAway, open: openFile })
    })
  )
}

/** It begins with a file type box (ISO/IEC 14496-12, 4.3). */
const isMp4 = (head: Uint8Array): boolean => new TextDecoder().decode(head.subarray(4)) === "ftyp"

const nameRefused = (rule: string, hint: string) => new InvalidParams({ param: "filename", rule, hint })

/** undefined where there is none, or something else has its name */
const openRegular = Effect.fnUntraced(
  function* (disk: Disk["Service"], path: string) {
    const file = yield* disk.open(path)
    const state = yield* file.state
    return state.kind === "file" ? { file, state } : undefined
  },
  Effect.catch((error) => (["ENOENT", "ELOOP"].includes(error.code) ? Effect.succeed(undefined) : Effect.fail(error)))
)

/** A file that has its name. */
interface Written {
  readonly path: string
  /** epoch milliseconds */
  readonly modified: number
  /** undefined: the bytes are another name's, too, which has them synced */
  readonly unsynced: Unsynced | undefined
}

/** Writes aside, then gives it its name, whole; undefined when something has that name. */
const createFile = Effect.fnUntraced(function* (disk: Disk["Service"], aside: string, path: string, bytes: Uint8Array) {
  const scope = yield* Scope.make()
  const created = Effect.gen(function* () {
    const file = yield* Scope.provide(disk.create(aside, 0o640), scope)
    yield* file.append(bytes)
    const { modified } = yield* file.state
    const written: Written = { path, modified: Math.floor(modified), unsynced: { file, scope } }
    return (yield* nameNew(disk, aside, path)) ? written : undefined
  })
  return yield* created.pipe(
    Effect.onExit((exit) =>
      Exit.isSuccess(exit) && exit.value !== undefined ? Effect.void : Scope.close(scope, Exit.void)
    ),
    Effect.ensuring(Effect.ignore(disk.remove(aside)))
  )
})
