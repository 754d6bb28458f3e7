import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, InvalidParams, InvalidState, NotFound } from "../../schema/Errors.ts"
import { Disk } from "../ground/Disk.ts"
import { type DiskError, diskError, ifThere } from "../ground/DiskError.ts"
import { backgroundSync } from "./BackgroundSync.ts"
import { DataFolder } from "./DataFolder.ts"
import { DiskGuard } from "./DiskGuard.ts"
import { FileIndex } from "./FileIndex.ts"
import { Holds } from "./Holds.ts"
import { inTime } from "./InTime.ts"
import type { IndexedFile, StoredFile } from "./IndexedFile.ts"
import { contentTypeOf, type FileKind, isFileName, matroska, parseFileName } from "./Names.ts"
import { markCamera } from "../media/Picture.ts"
import { pictureFiles, type Written } from "./PictureFiles.ts"
import { removeSidecar } from "./Reconcile.ts"
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

/** Whether a picture of this camera may give way to a new one of its name. */
export type Replaces = (owner: CameraId) => boolean

/** A file to read from, as it was when it was opened: what is written to it later is not part of it. */
export interface ReadableFile {
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
) => Effect.Effect<StoredFile, NotFound | InvalidState | DependencyFailed>

/** The files themselves. Names come from the index and lead nowhere but into their own folder. */
export class Files extends Context.Service<
  Files,
  {
    /** fails where no picture could be saved under this name now: a look ahead, which reserves nothing */
    readonly admitName: (
      filename: string,
      replaces: Replaces | undefined
    ) => Effect.Effect<void, InvalidParams | InvalidState | DependencyFailed>
    /**
     * keeps a picture and tells the index, since nobody finds it by its name before. A disk that keeps none for 5 s does not
     * answer, for all that is told, and may keep it later; others that replace or delete one wait for it. A file that has the
     * name is replaced in one step where `replaces` allows it, and stays what it is in every other case
     */
    readonly saveSnapshot: (
      snapshot: NewSnapshot,
      replaces?: Replaces
    ) => Effect.Effect<IndexedFile, InvalidParams | InvalidState | DependencyFailed>
    /** deletes the file and its entry, unless somebody holds it, to download it or else; gives what it was. 5 s as above */
    readonly delete: Deletes
    /** the same, whoever downloads it: their downloads break off */
    readonly takeAway: Deletes
    /** opens for reading until the scope ends */
    readonly open: (
      kind: FileKind,
      filename: string
    ) => Effect.Effect<ReadableFile, NotFound | DependencyFailed, Scope.Scope>
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
      const pictures = yield* pictureFiles(disk, folder.snapshots)
      const syncLater = yield* backgroundSync(disk, folder.snapshots)
      const folders: Readonly<Record<FileKind, string>> = { recording: folder.recordings, snapshot: folder.snapshots }

      /** the entry and path of a file that clients may name */
      const find = Effect.fnUntraced(function* (kind: FileKind, filename: string) {
        const file = isFileName(filename) ? yield* index.get(kind, filename) : undefined
        if (file === undefined) return yield* new NotFound({ resource: kind, id: filename })
        return { file, path: join(folders[kind], filename) }
      })

      /** One at a time replaces or deletes a picture, its entry with it. */
      const oneReplaced = Semaphore.makeUnsafe(1)

      /** What has the name and may be replaced; undefined where nothing has it. */
      const replaceable = Effect.fnUntraced(function* (filename: string, replaces: Replaces | undefined) {
        if (!isFileName(filename)) return yield* badName()
        const there = yield* attempt("look for a snapshot", ifThere(disk.state(join(folder.snapshots, filename))))
        if (there === undefined) return undefined
        const isAsked = there.kind === "file" && replaces !== undefined
        const old = isAsked ? yield* index.get("snapshot", filename) : undefined
        // whose it is is not told; one that the index does not know may be anybody's
        if (old === undefined || replaces?.(old.device) !== true) return yield* nameTaken()
        return old
      })

      const save = Effect.fnUntraced(function* (
        snapshot: NewSnapshot,
        write: (bytes: Uint8Array, path: string) => Effect.Effect<Written | undefined, DiskError>
      ) {
        const { filename, device } = snapshot
        if (!isFileName(filename)) return yield* badName()
        // such a name does not tell the camera, or tells another one: the picture has to
        const bytes = parseFileName(filename)?.device === device ? snapshot.bytes : markCamera(snapshot.bytes, device)
        const path = join(folder.snapshots, filename)
        yield* guard.admitSnapshot
        const saved = yield* attempt("save the snapshot", write(bytes, path))
        if (saved === undefined) return yield* nameTaken()
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
        // last: it waits for room where the disk is slow, and the picture is there
        yield* syncLater({ filename, file: saved.unsynced })
        return file
      })

      /** Another camera's entry goes before its picture does: no picture is ever listed as one of the wrong camera. */
      const replace = (old: IndexedFile, device: CameraId, bytes: Uint8Array, path: string) => {
        const forget = Effect.gen(function* () {
          yield* index.remove("snapshot", old.filename)
          const left = yield* Effect.mapError(index.get("snapshot", old.filename), diskError)
          if (left !== undefined) return yield* diskError(new Error("the index does not forget the old snapshot"))
        })
        return pictures
          .replace(bytes, path, old.device === device ? Effect.void : forget)
          .pipe(Effect.onError(() => index.put(old)))
      }

      const saveOver = Effect.fnUntraced(function* (snapshot: NewSnapshot, replaces: Replaces) {
        const old = yield* replaceable(snapshot.filename, replaces)
        return yield* save(snapshot, (bytes, path) =>
          old === undefined ? pictures.addAlone(bytes, path) : replace(old, snapshot.device, bytes, path)
        )
      }, oneReplaced.withPermit)

      const saveInTime = inTime("save the snapshot")
      // apart: what the kernel knows of a name it tells also for a disk that hangs
      const lookInTime = inTime("look for a snapshot")
      const saveSnapshot = Effect.fn("Files.saveSnapshot")((snapshot: NewSnapshot, replaces?: Replaces) =>
        saveInTime(replaces === undefined ? save(snapshot, pictures.add) : saveOver(snapshot, replaces))
      )
      const admitName = (filename: string, replaces: Replaces | undefined) =>
        lookInTime(Effect.asVoid(replaceable(filename, replaces)))

      const remove = Effect.fnUntraced(function* (kind: FileKind, filename: string, path: string) {
        const removeFile = kind === "snapshot" ? pictures.remove : disk.remove
        // a symbolic link in its place, or anywhere on the way, leads elsewhere: not ours to delete
        const removed = disk.realPath(path).pipe(
          Effect.flatMap((real) => (real === path ? Effect.as(removeFile(path), true) : Effect.succeed(false))),
          ifThere
        )
        const isDeleted = yield* attempt(`delete the ${kind}`, removed)
        if (kind === "recording")
          yield* attempt("delete the recording", removeSidecar(disk, folder.recordings, filename))
        // the file first: on a full disk the index can write again only then
        yield* index.remove(kind, filename)
        if (isDeleted !== true) return yield* new NotFound({ resource: kind, id: filename })
      })

      const removeInTurn: typeof remove = (kind, filename, path) =>
        kind === "snapshot" ? oneReplaced.withPermit(remove(kind, filename, path)) : remove(kind, filename, path)

      const deleteInTime = { recording: inTime("delete the recording"), snapshot: inTime("delete the snapshot") }
      const openInTime = { recording: inTime("open the recording"), snapshot: inTime("open the snapshot") }

      const removeFree = Effect.fn("Files.delete")(function* (kind: FileKind, filename: string) {
        const { file, path } = yield* find(kind, filename)
        yield* deleteInTime[kind](holds.whileFree(kind, filename, removeInTurn(kind, filename, path)))
        return file
      }, Effect.uninterruptible)

      const takeAway = Effect.fn("Files.takeAway")(function* (kind: FileKind, filename: string) {
        const { file, path } = yield* find(kind, filename)
        yield* deleteInTime[kind](holds.whileUnwritten(kind, filename, removeInTurn(kind, filename, path)))
        return file
      }, Effect.uninterruptible)

      const openFile = Effect.fn("Files.open")(function* (kind: FileKind, filename: string) {
        const { path } = yield* find(kind, filename)
        const opening = attempt(`open the ${kind}`, openRegular(disk, path))
        const opened = yield* openInTime[kind](Scope.provide(opening, yield* Effect.scope))
        if (opened === undefined) return yield* new NotFound({ resource: kind, id: filename })
        const { file, state } = opened
        const named = contentTypeOf(kind, filename) ?? "application/octet-stream"
        const isRaw = named === matroska && isMp4(yield* attempt(`read the ${kind}`, file.read(0, 8)))
        return {
          read: (position, length) => attempt(`read the ${kind}`, file.read(position, length)),
          bytes: state.bytes,
          modified: Math.floor(state.modified),
          contentType: isRaw ? "video/mp4" : named
        } satisfies ReadableFile
      })

      return Files.of({ admitName, saveSnapshot, delete: removeFree, takeAway, open: openFile })
    })
  )
}

/** It begins with a file type box (ISO/IEC 14496-12, 4.3). */
const isMp4 = (head: Uint8Array): boolean => new TextDecoder().decode(head.subarray(4)) === "ftyp"

const badName = () =>
  new InvalidParams({
    param: "filename",
    rule: "a plain file name",
    hint: "letters, digits, dots, dashes, underscores"
  })

const nameTaken = () =>
  new InvalidState({ state: "TAKEN", allowed_states: ["FREE"], suggestion: "another name, or overwrite: true" })

/** undefined where there is none, or something else has its name */
const openRegular = Effect.fnUntraced(
  function* (disk: Disk["Service"], path: string) {
    const file = yield* disk.open(path)
    const state = yield* file.state
    return state.kind === "file" ? { file, state } : undefined
  },
  (opening) => ifThere(opening, ["ENOENT", "ELOOP"])
)
