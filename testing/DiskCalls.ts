import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { join, normalize } from "node:path"
import { Disk } from "../src/ground/Disk.ts"
import { DiskError } from "../src/ground/DiskError.ts"
import type { FileState } from "../src/ground/FileState.ts"
import type { OpenFile } from "../src/ground/OpenFile.ts"
import type { Call, makeDiskFaults } from "./DiskFaults.ts"
import { type File, type Folder, type makeMemoryFiles, Refused } from "./MemoryFiles.ts"
import { giveUp, sync } from "./PowerCut.ts"

/** What all who use a disk have in common. */
export interface SharedDisk {
  readonly files: ReturnType<typeof makeMemoryFiles>
  readonly faults: ReturnType<typeof makeDiskFaults>
  readonly watchers: Map<Folder, Set<Queue.Queue<string, DiskError>>>
  readonly locked: Set<string>
  /** writes into a file as far as there is room */
  readonly write: (file: File, path: string, position: number, bytes: Uint8Array) => void
  readonly readFile: (call: string, path: string) => Uint8Array
  readonly counts: { folders: number; listings: number; pending: number }
}

/** A process that uses a disk, until it is killed. */
export interface DiskUser {
  readonly disk: Disk["Service"]
  /** SIGKILL: what it has called for and was not answered does not happen, nor does what it calls for from now on */
  readonly kill: () => void
}

/** `note` hears each call that changes or syncs something before it does. */
export const makeDiskUser = (shared: SharedDisk, note: (call: Call, paths: string) => void): DiskUser => {
  const { counts, faults, files, locked, readFile, watchers, write } = shared
  const killed = Deferred.makeUnsafe<void>()

  const orNothing = () => {
    if (Deferred.isDoneUnsafe(killed)) throw new Refused("EINTR", "killed", "")
  }

  /** One call: it meets the faults, then happens at one stroke. */
  const called = <A>(call: Call, paths: string, run: () => A): Effect.Effect<A, DiskError> =>
    Effect.sync(() => counts.pending++).pipe(
      Effect.andThen(faults.meet(call, paths, Deferred.await(killed))),
      Effect.andThen(
        Effect.sync(() => {
          orNothing()
          return run()
        })
      ),
      Effect.catchDefect((cause) =>
        cause instanceof Refused ? Effect.fail(new DiskError({ code: cause.code, cause })) : Effect.die(cause)
      ),
      Effect.ensuring(Effect.sync(() => counts.pending--)),
      Effect.uninterruptible
    )
  const changes = <A>(call: Call, paths: string, run: () => A) =>
    Effect.andThen(
      Effect.sync(() => {
        if (!Deferred.isDoneUnsafe(killed)) note(call, paths)
      }),
      called(call, paths, run)
    )

  const syncs = (path: string, find: () => File | Folder) =>
    changes("sync", path, () => sync(find())).pipe(
      Effect.tapError(({ code }) => (code === "EIO" ? Effect.sync(() => giveUp(find())) : Effect.void))
    )

  const opened = (entry: File | Folder, path: string): OpenFile => ({
    read: (position, length) =>
      called("read", path, () => {
        if (entry.kind === "file") return entry.bytes.slice(position, position + length)
        throw new Refused("EISDIR", "read", path)
      }),
    append: (bytes) =>
      changes("append", path, () => {
        if (entry.kind === "folder") throw new Refused("EBADF", "write", path)
        write(entry, path, entry.bytes.length, bytes)
      }),
    sync: syncs(path, () => entry),
    state: called("state", path, () => stateOf(entry))
  })

  const watch = Effect.fnUntraced(function* (path: string) {
    const names = yield* Queue.unbounded<string, DiskError>()
    yield* Effect.acquireRelease(
      called("watch", path, () => {
        const folder = files.folderAt("watch", path)
        const all = watchers.get(folder) ?? new Set()
        watchers.set(folder, all.add(names))
        return all
      }),
      (all) => Effect.sync(() => all.delete(names))
    )
    return names
  })

  const disk = Disk.of({
    open: (path) => called("open", path, () => opened(files.get("open", path), path)),
    create: (path, mode) => changes("create", path, () => opened(files.create(path, mode), path)),
    text: (path) => called("text", path, () => new TextDecoder().decode(readFile("open", path))),
    state: (path) => called("state", path, () => stateOf(files.get("lstat", path))),
    states: (folder, names) =>
      called("states", folder, () => {
        const { entries } = files.folderAt("lstat", folder)
        return names.map((name) => {
          const entry = entries.get(name)
          return entry === undefined ? undefined : stateOf(entry)
        })
      }),
    rights: (path) => called("state", path, () => ({ owner: 0, mode: files.get("stat", path).mode })),
    realPath: (path) =>
      called("realPath", path, () => {
        files.get("realpath", path)
        return normalize(path).replace(/(?<=.)\/$/, "")
      }),
    names: (folder) =>
      called("names", folder, () => {
        counts.listings++
        return [...files.folderAt("scandir", folder).entries.keys()]
      }),
    walk: (path) =>
      called("walk", path, () => {
        const { entries } = files.folderAt("opendir", path)
        const left = [...entries].filter(([, entry]) => entry.kind === "file").map(([name]) => name)
        return called("walk", path, () => left.splice(0, batch))
      }),
    rename: (from, to) => changes("rename", `${from} ${to}`, () => files.rename(from, to)),
    link: (from, to) => changes("link", `${from} ${to}`, () => files.link(from, to)),
    copy: (from, to) =>
      changes("copy", `${from} ${to}`, () => {
        const bytes = readFile("open", from).slice()
        const { mode } = files.get("open", from)
        files.removeAll(to)
        write(files.create(to, mode), to, 0, bytes)
      }),
    remove: (path) => changes("remove", path, () => files.remove(path)),
    removeAll: (path) => changes("removeAll", path, () => files.removeAll(path)),
    makeFolder: (path, mode) => changes("makeFolder", path, () => files.makeFolder(path, mode)),
    setMode: (path, mode) => changes("setMode", path, () => files.setMode(path, mode)),
    touch: (path) => called("touch", path, () => files.touch(path)),
    space: (folder) =>
      called("space", folder, () => {
        files.folderAt("statfs", folder)
        const [total, used] = [faults.size(), files.used()]
        return { total, used, available: Math.max(0, total - used), fileSystem: folder === "/" ? 0 : 1 }
      }),
    mayWrite: (folder) => called("mayWrite", folder, () => void files.get("access", folder)),
    sync: (path) => syncs(path, () => files.get("open", path)),
    watch,
    lock: (path) =>
      Effect.acquireRelease(
        called("lock", path, () => {
          files.folderAt("lock", join(path, ".."))
          if (locked.has(path)) throw new Refused("EBUSY", "lock", path)
          locked.add(path)
        }),
        () => Effect.sync(() => locked.delete(path))
      ),
    temporaryFolder: (prefix) =>
      Effect.acquireRelease(
        called("temporaryFolder", prefix, () => {
          const path = `${inMemory}/${prefix}${counts.folders++}`
          files.makeFolder(path, 0o700)
          return path
        }),
        (path) => Effect.sync(() => files.removeAll(path))
      )
  })

  return { disk, kill: () => Deferred.doneUnsafe(killed, Effect.void) }
}

/** What is there is gone with the power. */
export const inMemory = "/tmp"

/** Names that a walk gives at once: as many as the real one. */
const batch = 100

const stateOf = (entry: File | Folder): FileState => ({
  kind: entry.kind,
  bytes: entry.kind === "file" ? entry.bytes.length : 0,
  modified: entry.modified
})
