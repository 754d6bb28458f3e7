import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { readFileSync, rmSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"

/** SQLite databases in files: synchronous, and thrown is what `node:sqlite` throws. */
export class Databases extends Context.Service<
  Databases,
  {
    readonly open: (path: string) => DatabaseSync
    /** with its journals; nothing there is fine */
    readonly remove: (path: string) => void
    /** another one after each start of the kernel, which may have lost what was not synced */
    readonly bootId: () => string
  }
>()("camera-service/ground/Databases") {
  static readonly layer = Layer.sync(Databases, () =>
    Databases.of({
      open: (path) => new DatabaseSync(path),
      remove: (path) => {
        for (const suffix of ["", "-wal", "-shm", "-journal"]) {
          rmSync(`${path}${suffix}`, { force: true, recursive: true })
        }
      },
      bootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    })
  )
}
