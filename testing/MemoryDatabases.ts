import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { backup, DatabaseSync } from "node:sqlite"
import { Databases } from "../src/ground/Databases.ts"

/** What there is of databases after their user was killed: all, what there was when that happened last, or nothing. */
export type Left = "all" | "what was there before" | "nothing"

/** SQLite databases in memory, and what a test does to them. */
export class MemoryDatabases extends Context.Service<
  MemoryDatabases,
  {
    /** whether there is no room for another page (SQLITE_FULL) */
    readonly full: (isFull: boolean) => void
    /** the kernel starts again: what was not closed is looked through when it is opened */
    readonly reboot: () => void
    /** who has them open is killed: what that does with them from now on nobody sees; a power cut may leave less of them */
    readonly kill: (left: Left) => void
  }
>()("camera-service/testing/MemoryDatabases") {
  /** Each lives from its first opening to its removal, or the end of the layer: a service that starts again finds it. */
  static readonly layer: Layer.Layer<MemoryDatabases | Databases> = Layer.effectContext(
    Effect.gen(function* () {
      const ground = ++grounds
      const kept = new Map<string, DatabaseSync>()
      /** as they were when their user was killed last */
      const before = new Map<string, DatabaseSync>()
      let boots = 1
      let lives = 1
      let isFull = false
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => [kept, before].forEach((all) => all.forEach((database) => database.close())))
      )

      // connections of one process to one name share what is in memory, for as long as one of them is open
      // (https://www.sqlite.org/sharedcache.html)
      const urlOf = (path: string) => `file:/${ground}/${lives}${encodeURI(path)}?mode=memory&cache=shared`
      const connect = (path: string) => new DatabaseSync(urlOf(path))
      const copy = (database: DatabaseSync, path: string): DatabaseSync => {
        const made = connect(path)
        database.prepare("VACUUM INTO ?").run(urlOf(path))
        return made
      }
      const limit = (database: DatabaseSync) => database.exec(`PRAGMA max_page_count=${isFull ? 1 : mostPages}`)

      const databases = Databases.of({
        open: (path) => {
          const keeper = kept.get(path) ?? connect(path)
          kept.set(path, keeper)
          limit(keeper)
          return connect(path)
        },
        openInMemory: () => new DatabaseSync(":memory:"),
        remove: (path) => {
          kept.get(path)?.close()
          kept.delete(path)
        },
        copy: async (database, path) => {
          const to = connect(path)
          kept.set(path, to)
          await backup(database, urlOf(path))
        },
        keep: (database, path) => {
          if (!kept.has(path)) kept.set(path, copy(database, path))
        },
        putBack: (from, path) => {
          const earlier = kept.get(from)
          if (earlier === undefined) return false
          kept.get(path)?.close()
          kept.set(path, copy(earlier, path))
          kept.delete(from)
          earlier.close()
          return true
        },
        bootId: () => `boot ${boots}`
      })
      const memoryDatabases = MemoryDatabases.of({
        full: (now) => {
          isFull = now
          kept.forEach(limit)
        },
        reboot: () => {
          boots++
        },
        kill: (left) => {
          lives++
          for (const [path, database] of [...kept]) {
            const earlier = before.get(path)
            const source = { all: database, "what was there before": earlier, nothing: undefined }[left]
            kept.delete(path)
            before.delete(path)
            if (source !== undefined) {
              kept.set(path, copy(source, path))
              before.set(path, copy(source, `${path} before`))
            }
            earlier?.close()
            database.close()
          }
        }
      })
      return Context.make(Databases, databases).pipe(Context.add(MemoryDatabases, memoryDatabases))
    })
  )
}

/** Test grounds of one process have nothing in common. */
let grounds = 0

/** SQLite's own limit (https://www.sqlite.org/pragma.html#pragma_max_page_count). */
const mostPages = 4_294_967_294
