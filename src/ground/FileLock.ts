import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DatabaseSync } from "node:sqlite"
import { type DiskError, diskError } from "./DiskError.ts"

/**
 * `Disk.lock`. The lock is SQLite's: an advisory lock on a file that the kernel drops with the process, so a kill -9 leaves
 * nothing stale (a file with a pid would), and containers that share the folder but neither pids nor a network name space
 * see it too (an abstract socket would not be seen). Node itself offers no file locks.
 */
export const lockFile = (path: string): Effect.Effect<void, DiskError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const database = new DatabaseSync(path, { timeout: 0 })
        try {
          // nothing is ever written, and a disk that is full has no room for a journal (Node's SQLite is defensive: OFF does nothing)
          database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE")
          return database
        } catch (cause) {
          database.close()
          throw cause
        }
      },
      catch: diskError
    }),
    (database) => Effect.sync(() => database.close())
  ).pipe(Effect.asVoid)
