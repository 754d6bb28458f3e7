import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { backup, DatabaseSync } from "node:sqlite"

/** SQLite gives the journals that it makes the rights of their database (https://www.sqlite.org/src/file/src/os_unix.c). */
const makePrivate = (path: string): void => {
  for (const make of [
    () => closeSync(openSync(path, "a", 0o600)),
    ...["", "-wal", "-shm", "-journal"].map((suffix) => () => chmodSync(`${path}${suffix}`, 0o600))
  ]) {
    try {
      make()
    } catch {
      // not there, or not to be had: SQLite says so itself, in its own words
    }
  }
}

const remove = (path: string): void => {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(`${path}${suffix}`, { force: true, recursive: true })
}

const sync = (path: string): void => {
  const opened = openSync(path, "r")
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

/** SQLite databases in files: synchronous, and thrown is what `node:sqlite` throws. */
export class Databases extends Context.Service<
  Databases,
  {
    /** for the owner only, its journals too */
    readonly open: (path: string) => DatabaseSync
    /** on no disk */
    readonly openInMemory: () => DatabaseSync
    /** with its journals; nothing there is fine */
    readonly remove: (path: string) => void
    /** into a new file, for the owner only, while others use the database: what they change meanwhile is in it */
    readonly copy: (database: DatabaseSync, path: string) => Promise<void>
    /** a copy of it as it is, under this name, whole and for good or not at all; one that is there stays */
    readonly keep: (database: DatabaseSync, path: string) => void
    /** puts what was kept under the first name in the place of what has the second, with its journals; whether there was any */
    readonly putBack: (kept: string, path: string) => boolean
    /** another one after each start of the kernel, which may have lost what was not synced */
    readonly bootId: () => string
  }
>()("camera-service/ground/Databases") {
  static readonly layer = Layer.sync(Databases, () =>
    Databases.of({
      open: (path) => {
        makePrivate(path)
        return new DatabaseSync(path)
      },
      openInMemory: () => new DatabaseSync(":memory:"),
      remove,
      copy: async (database, path) => {
        makePrivate(path)
        await backup(database, path)
      },
      keep: (database, path) => {
        if (existsSync(path)) return
        const aside = `${path}.new`
        // of who was killed in it
        remove(aside)
        try {
          makePrivate(aside)
          database.prepare("VACUUM INTO ?").run(aside)
          sync(aside)
          renameSync(aside, path)
          sync(dirname(path))
        } finally {
          remove(aside)
        }
      },
      putBack: (kept, path) => {
        if (!existsSync(kept)) return false
        remove(path)
        renameSync(kept, path)
        return true
      },
      bootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    })
  )
}
