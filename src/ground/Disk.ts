import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { constants } from "node:fs"
import {
  access,
  chmod,
  copyFile,
  link,
  lstat,
  open,
  opendir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  statfs,
  unlink,
  utimes
} from "node:fs/promises"
import { ifThere, onDisk, type DiskError } from "./DiskError.ts"
import { lockFile } from "./FileLock.ts"
import { type FileState, stateOf, statesOf } from "./FileState.ts"
import { watchFolder } from "./FolderWatch.ts"
import { makeFolders } from "./NewFolders.ts"
import { temporaryFolder } from "./TemporaryFolders.ts"
import { type OpenFile, opened } from "./OpenFile.ts"

export interface Rights {
  /** the number of the user whose it is */
  readonly owner: number
  /** its permission bits */
  readonly mode: number
}

/** A file system in bytes, as df(1) counts them: a part of it may be neither used nor available, but the system's. */
export interface DiskSpace {
  readonly total: number
  readonly used: number
  readonly available: number
  /** the same number: the same file system (st_dev; man 2 stat) */
  readonly fileSystem: number
}

/**
 * Files and folders, by absolute paths. No call can be interrupted: the disk goes on anyway, and what it opened meanwhile
 * would belong to nobody.
 */
export class Disk extends Context.Service<
  Disk,
  {
    /** opens a file for reading: never through a link in its place (ELOOP), and never waiting for a pipe's other end */
    readonly open: (path: string) => Effect.Effect<OpenFile, DiskError, Scope.Scope>
    /** makes a file, with this mode whatever the umask says; EEXIST where the name is taken */
    readonly create: (path: string, mode: number) => Effect.Effect<OpenFile, DiskError, Scope.Scope>
    /** all of a file, as UTF-8 */
    readonly text: (path: string) => Effect.Effect<string, DiskError>
    /** of what has this name itself: a link is not followed */
    readonly state: (path: string) => Effect.Effect<FileState, DiskError>
    /** the same of several in one folder, in this order; undefined where there is none: half the cost of one by one */
    readonly states: (
      folder: string,
      names: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<FileState | undefined>, DiskError>
    /** of what a link leads to */
    readonly rights: (path: string) => Effect.Effect<Rights, DiskError>
    /** where it is without any link on the way */
    readonly realPath: (path: string) => Effect.Effect<string, DiskError>
    /** all of a folder, in no order */
    readonly names: (folder: string) => Effect.Effect<ReadonlyArray<string>, DiskError>
    /** gives the names of a folder's files, some at a time, in no order; none when there are no more */
    readonly walk: (
      folder: string
    ) => Effect.Effect<Effect.Effect<ReadonlyArray<string>, DiskError>, DiskError, Scope.Scope>
    /** replaces what has the new name */
    readonly rename: (from: string, to: string) => Effect.Effect<void, DiskError>
    /** a second name for a file, in one step; EEXIST where that is taken, EPERM and others where there are no links (FAT) */
    readonly link: (from: string, to: string) => Effect.Effect<void, DiskError>
    /** a file's bytes, with its mode, into another one, which is replaced where it is there */
    readonly copy: (from: string, to: string) => Effect.Effect<void, DiskError>
    /** a file, or a link itself; ENOENT where there is none */
    readonly remove: (path: string) => Effect.Effect<void, DiskError>
    /** with all that is in it; nothing there is fine */
    readonly removeAll: (path: string) => Effect.Effect<void, DiskError>
    /** with those above it; one that is there is fine */
    readonly makeFolder: (path: string, mode: number) => Effect.Effect<void, DiskError>
    /** whatever the umask says */
    readonly setMode: (path: string, mode: number) => Effect.Effect<void, DiskError>
    /** has a file be changed now: returns when the file system has that among what it writes down next; nothing there is fine */
    readonly touch: (path: string) => Effect.Effect<void, DiskError>
    /** fails where files cannot be made in the folder */
    readonly mayWrite: (folder: string) => Effect.Effect<void, DiskError>
    /** of the file system that has the folder on it; 0.1 ms */
    readonly space: (folder: string) => Effect.Effect<DiskSpace, DiskError>
    /** of a file: its bytes; of a folder: the names in it, which last only then */
    readonly sync: (path: string) => Effect.Effect<void, DiskError>
    /** the names of what appears, grows, changes or vanishes in the folder, as often as the kernel tells */
    readonly watch: (folder: string) => Effect.Effect<Queue.Dequeue<string, DiskError>, DiskError, Scope.Scope>
    /** takes what this file stands for, for as long as the scope lives; EBUSY where another process has it */
    readonly lock: (path: string) => Effect.Effect<void, DiskError, Scope.Scope>
    /** a folder for this process alone (0700), in memory where the system has such a place, gone with the scope; those of processes that are gone go, too */
    readonly temporaryFolder: (prefix: string) => Effect.Effect<string, DiskError, Scope.Scope>
  }
>()("camera-service/ground/Disk") {
  /** Node's. */
  static readonly layer = Layer.sync(Disk, () =>
    Disk.of({
      open: (path) => opened(() => open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)),
      create: (path, mode) =>
        opened(async () => {
          const handle = await open(path, "wx", mode)
          try {
            await handle.chmod(mode)
            return handle
          } catch (cause) {
            await handle.close()
            throw cause
          }
        }),
      text: (path) => onDisk(() => readFile(path, "utf8")),
      state: (path) =>
        Effect.map(
          onDisk(() => lstat(path)),
          stateOf
        ),
      states: (folder, names) => onDisk(() => statesOf(folder, names)),
      rights: (path) =>
        Effect.map(
          onDisk(() => stat(path)),
          ({ mode, uid }) => ({ owner: uid, mode: mode & 0o777 })
        ),
      realPath: (path) => onDisk(() => realpath(path)),
      names: (folder) => onDisk(() => readdir(folder)),
      walk: Effect.fnUntraced(function* (folder) {
        const directory = yield* Effect.acquireRelease(
          onDisk(() => opendir(folder, { bufferSize: batch })),
          (opened) => Effect.promise(() => opened.close())
        )
        return onDisk(async () => {
          const names: Array<string> = []
          while (names.length < batch) {
            const entry = await directory.read()
            if (entry === null) break
            if (entry.isFile()) names.push(entry.name)
          }
          return names
        })
      }),
      rename: (from, to) => onDisk(() => rename(from, to)),
      link: (from, to) => onDisk(() => link(from, to)),
      copy: (from, to) => onDisk(() => copyFile(from, to)),
      remove: (path) => onDisk(() => unlink(path)),
      removeAll: (path) => onDisk(() => rm(path, { recursive: true, force: true })),
      makeFolder: (path, mode) => onDisk(() => makeFolders(path, mode)),
      setMode: (path, mode) => onDisk(() => chmod(path, mode)),
      touch: (path) =>
        ifThere(
          onDisk(() => {
            const now = new Date()
            return utimes(path, now, now)
          })
        ),
      mayWrite: (folder) => onDisk(() => access(folder, constants.W_OK | constants.X_OK)),
      space: (folder) =>
        onDisk(async () => {
          // one after the other: a disk that hangs holds one thread
          const { bavail, bfree, blocks, frsize } = await statfs(folder)
          const { dev } = await stat(folder)
          return {
            total: blocks * frsize,
            used: (blocks - bfree) * frsize,
            available: bavail * frsize,
            fileSystem: dev
          }
        }),
      sync: (path) =>
        onDisk(async () => {
          await using handle = await open(path, "r")
          await handle.sync()
        }),
      watch: watchFolder,
      lock: lockFile,
      temporaryFolder
    })
  )
}

/** Names that a walk gives at once. */
const batch = 100
