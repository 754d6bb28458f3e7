import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { Disk } from "../src/ground/Disk.ts"
import { type DiskUser, inMemory, makeDiskUser, type SharedDisk } from "./DiskCalls.ts"
import { type Call, type Fault, makeDiskFaults, type Suffered } from "./DiskFaults.ts"
import { type File, makeMemoryFiles, Refused } from "./MemoryFiles.ts"

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
    /** one more process that uses the disk, and can be killed; `before` hears each call that changes or syncs something */
    readonly use: (before: () => void) => DiskUser
    /**
     * The power is cut, and comes back: what was synced is there, what was not may be, in part or not at all, as `chance`
     * (0 to less than 1) has it. Who used the disk has to be killed before.
     */
    readonly losePower: (chance: () => number) => void
    /** calls of the service that have not been answered */
    readonly pending: () => number
    /** how often the service has read the names of a whole folder */
    readonly listings: () => number
  }
>()("camera-service/testing/MemoryDisk") {
  static readonly layer: Layer.Layer<MemoryDisk | Disk> = Layer.effectContext(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const logs = new Set<Array<string>>()
      const watchers: SharedDisk["watchers"] = new Map()
      const files = makeMemoryFiles(
        () => clock.currentTimeMillisUnsafe(),
        (folder, name) => watchers.get(folder)?.forEach((names) => Queue.offerUnsafe(names, name))
      )
      const faults = makeDiskFaults(files.used)

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

      const counts = { folders: 0, listings: 0, pending: 0 }
      const shared: SharedDisk = { files, faults, watchers, locked: new Set(), write, readFile, counts }
      const note = (call: Call, paths: string) => logs.forEach((log) => log.push(`${call} ${paths}`))

      const entryOrNew = (path: string): File => {
        const { entries } = files.folderAt("open", join(path, ".."))
        const found = entries.get(path.slice(path.lastIndexOf("/") + 1)) ?? files.create(path, 0o644)
        if (found.kind === "file") return found
        throw new Refused("EISDIR", "open", path)
      }

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

      const memoryDisk = MemoryDisk.of({
        outside,
        use: (before) =>
          makeDiskUser(shared, (call, paths) => {
            note(call, paths)
            before()
          }),
        losePower: (chance) => {
          files.losePower(chance)
          files.removeAll(inMemory)
        },
        listings: () => counts.listings,
        pending: () => counts.pending,
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
      return Context.make(Disk, makeDiskUser(shared, note).disk).pipe(Context.add(MemoryDisk, memoryDisk))
    })
  )
}
