import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { join, normalize } from "node:path"
import { Disk } from "../src/ground/Disk.ts"
import type { OpenFile } from "../src/ground/OpenFile.ts"
import type { FileState } from "../src/ground/FileState.ts"
import { DiskError } from "../src/ground/DiskError.ts"
import { type Call, type Fault, makeDiskFaults, type Suffered } from "./DiskFaults.ts"
import { type File, type Folder, makeMemoryFiles, Refused } from "./MemoryFiles.ts"

/** What a program beside the service does with the same disk; at once, and thrown is a `Refused`. Who watches is told. */
export interface Outside {
  /** into the file from `position` on (its end); makes the file where there is none */
  readonly write: (path: string, bytes: Uint8Array, position?: number) => void
  /** makes a file and holds it open: what is given writes into it, under whatever name it has by then */
  readonly create: (path: string) => (bytes: Uint8Array, position?: number) => void
  readonly read: (path: string) => Uint8Array
  readonly names: (folder: string) => ReadonlyArray<string>
  readonly rename: (from: string, to: string) => void
  /** with all that is in it */
  readonly remove: (path: string) => void
  readonly makeFolder: (path: string) => void
}

/** A disk in memory, on the test's clock, and what a test does to it. */
export class MemoryDisk extends Context.Service<
  MemoryDisk,
  {
    readonly outside: Outside
    /** until it is taken back, or the scope ends */
    readonly suffer: (fault: Fault) => Effect.Effect<Suffered, never, Scope.Scope>
    /** each call from now on that changes or syncs something, such as `rename /a /b`, in the order in which they are made */
    readonly calls: Effect.Effect<ReadonlyArray<string>, never, Scope.Scope>
    /** calls of the service that have not been answered */
    readonly pending: () => number
    /** how often the service has read the names of a whole folder */
    readonly listings: () => number
  }
>()("camera-service/testing/MemoryDisk") {
  static readonly layer: Layer.Layer<MemoryDisk | Disk> = Layer.effectContext(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const watchers = new Map<Folder, Set<Queue.Queue<string, DiskError>>>()
      const locked = new Set<string>()
      const logs = new Set<Array<string>>()
      let folders = 0
      let listings = 0
      let pending = 0

      const files = makeMemoryFiles(
        () => clock.currentTimeMillisUnsafe(),
        (folder, name) => watchers.get(folder)?.forEach((names) => Queue.offerUnsafe(names, name))
      )
      const faults = makeDiskFaults(files.used)

      const note = (call: Call, paths: string) => logs.forEach((log) => log.push(`${call} ${paths}`))

      /** One call of the service: it meets the faults, then happens at one stroke. */
      const called = <A>(call: Call, paths: string, run: () => A): Effect.Effect<A, DiskError> =>
        Effect.sync(() => pending++).pipe(
          Effect.andThen(faults.meet(call, paths)),
          Effect.andThen(Effect.sync(run)),
          Effect.catchDefect((cause) =>
            cause instanceof Refused ? Effect.fail(new DiskError({ code: cause.code, cause })) : Effect.die(cause)
          ),
          Effect.ensuring(Effect.sync(() => pending--)),
          Effect.uninterruptible
        )
      const changes = <A>(call: Call, paths: string, run: () => A) =>
        Effect.andThen(
          Effect.sync(() => note(call, paths)),
          called(call, paths, run)
        )

      /** as far as there is room */
      const write = (file: File, path: string, position: number, bytes: Uint8Array) => {
        const growth = Math.max(0, position + bytes.length - file.bytes.length)
        const missing = growth - faults.room(growth)
        files.write(file, position, bytes.subarray(0, bytes.length - missing))
        if (missing > 0) throw new Refused("ENOSPC", "write", path)
      }

      const readFile = (call: string, path: string): Uint8Array => {
        const found = files.get(call, path)
        if (found.kind === "file") return found.bytes
        throw new Refused("EISDIR", "read", path)
      }

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
        sync: changes("sync", path, () => undefined),
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
            listings++
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
        remove: (path) => changes("remove", path, () => files.remove(path)),
        removeAll: (path) => changes("removeAll", path, () => files.removeAll(path)),
        makeFolder: (path, mode) => changes("makeFolder", path, () => files.makeFolder(path, mode)),
        setMode: (path, mode) => changes("setMode", path, () => files.setMode(path, mode)),
        space: (folder) =>
          called("space", folder, () => {
            files.folderAt("statfs", folder)
            const [total, used] = [faults.size(), files.used()]
            return { total, used, available: Math.max(0, total - used), fileSystem: 1 }
          }),
        mayWrite: (folder) => called("mayWrite", folder, () => void files.get("access", folder)),
        sync: (path) => changes("sync", path, () => void files.get("open", path)),
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
              const path = `/tmp/${prefix}${folders++}`
              files.makeFolder(path, 0o700)
              return path
            }),
            (path) => Effect.sync(() => files.removeAll(path))
          )
      })

      const outside: Outside = {
        write: (path, bytes, position) => {
          const file = entryOrNew(path)
          write(file, path, position ?? file.bytes.length, bytes)
        },
        create: (path) => {
          const file = files.create(path, 0o644)
          return (bytes, position) => write(file, path, position ?? file.bytes.length, bytes)
        },
        read: (path) => readFile("open", path).slice(),
        names: (folder) => [...files.folderAt("scandir", folder).entries.keys()],
        rename: files.rename,
        remove: files.removeAll,
        makeFolder: (path) => files.makeFolder(path, 0o755)
      }
      const entryOrNew = (path: string): File => {
        const { entries } = files.folderAt("open", join(path, ".."))
        const found = entries.get(path.slice(path.lastIndexOf("/") + 1)) ?? files.create(path, 0o644)
        if (found.kind === "file") return found
        throw new Refused("EISDIR", "open", path)
      }

      const memoryDisk = MemoryDisk.of({
        outside,
        listings: () => listings,
        pending: () => pending,
        suffer: (fault) => Effect.acquireRelease(faults.suffer(fault), ({ takeBack }) => takeBack),
        calls: Effect.acquireRelease(
          Effect.sync(() => {
            const log: Array<string> = []
            logs.add(log)
            return log
          }),
          (log) => Effect.sync(() => logs.delete(log))
        )
      })
      return Context.make(Disk, disk).pipe(Context.add(MemoryDisk, memoryDisk))
    })
  )
}

/** Names that a walk gives at once: as many as the real one. */
const batch = 100

const stateOf = (entry: File | Folder): FileState => ({
  kind: entry.kind,
  bytes: entry.kind === "file" ? entry.bytes.length : 0,
  modified: entry.modified
})
