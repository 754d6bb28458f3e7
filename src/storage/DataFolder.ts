import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { access, chmod, constants, mkdir, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises"
import { homedir } from "node:os"
import { isAbsolute, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { DataFolderInUse, DataFolderUnusable } from "../config/StartupErrors.ts"
import { Settings } from "../config/Settings.ts"
import { errnoOf, temporaryPrefix } from "./Disk.ts"

/**
 * Where data goes when the configuration names no folder: the first of these that can be written. `stateHome` is
 * `XDG_STATE_HOME`, which counts only when it is absolute (XDG Base Directory Specification).
 */
export const standardFolders = (stateHome?: string): ReadonlyArray<string> => [
  "/var/lib/camera-service",
  join(
    stateHome !== undefined && isAbsolute(stateHome) ? stateHome : join(homedir(), ".local", "state"),
    "camera-service"
  )
]

/** The folders to try where `data_dir` is empty; `main.ts` puts the environment's in. */
export const StandardFolders = Context.Reference<ReadonlyArray<string>>("camera-service/storage/StandardFolders", {
  defaultValue: () => standardFolders()
})

/** The folder with everything the service keeps; absolute paths without symbolic links, and all of them are there. */
export class DataFolder extends Context.Service<
  DataFolder,
  {
    readonly root: string
    readonly recordings: string
    readonly snapshots: string
    /** 0700; files in it are 0600 */
    readonly secrets: string
  }
>()("camera-service/storage/DataFolder") {
  /** For programs that run beside the service and only read what lasts (`token`). */
  static readonly layerShared = Layer.effect(
    DataFolder,
    Effect.gen(function* () {
      const { data_dir } = (yield* Settings).boot
      const candidates = data_dir === "" ? yield* StandardFolders : [resolve(data_dir)]
      for (const [i, folder] of candidates.entries()) {
        const made = yield* Effect.result(prepare(folder))
        if (made._tag === "Success") return DataFolder.of(made.success)
        if (i === candidates.length - 1) return yield* made.failure
      }
      return yield* new DataFolderUnusable({ folder: "", detail: "none is known" })
    })
  )

  /** For the service: one at a time on a folder; what an earlier run left half written is removed. */
  static readonly layer = Layer.effect(
    DataFolder,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      yield* lock(folder.root)
      yield* removeTemporary(folder)
      return folder
    })
  ).pipe(Layer.provide(DataFolder.layerShared))
}

const prepare = (folder: string) =>
  Effect.tryPromise({
    try: async () => {
      await mkdir(folder, { recursive: true, mode: 0o750 })
      await access(folder, constants.W_OK | constants.X_OK)
      const root = await realpath(folder)
      const inside = async (name: string, mode: number) => {
        await mkdir(join(root, name), { recursive: true, mode })
        return realpath(join(root, name))
      }
      const [recordings, snapshots, secrets] = await Promise.all([
        inside("recordings", 0o750),
        inside("snapshots", 0o750),
        inside("secrets", 0o700)
      ])
      await chmod(secrets, 0o700) // it may have been there with other rights
      return { root, recordings, snapshots, secrets }
    },
    catch: (cause) => new DataFolderUnusable({ folder, detail: errnoOf(cause) || String(cause) })
  })

/**
 * One service a folder. The lock is SQLite's: an advisory lock on a file that the kernel drops with the process, so a
 * kill -9 leaves nothing stale (a file with a pid would), and containers that share the folder but neither pids nor a
 * network name space see it too (an abstract socket would not be seen). Node itself offers no file locks.
 */
const lock = Effect.fnUntraced(function* (folder: string) {
  const pidFile = join(folder, "service.pid")
  const holder = Effect.tryPromise(() => readFile(pidFile, "utf8")).pipe(
    Effect.map((text) => Number.parseInt(text, 10) || 0),
    Effect.orElseSucceed(() => 0)
  )
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        const database = new DatabaseSync(join(folder, "service.lock"), { timeout: 0 })
        try {
          // nothing is ever written, so there is no journal to keep
          database.exec("PRAGMA journal_mode=OFF; BEGIN EXCLUSIVE")
          return database
        } catch (cause) {
          database.close()
          throw cause
        }
      },
      catch: (cause) => (isBusy(cause) ? "busy" : String(cause))
    }).pipe(
      Effect.catch(
        Effect.fnUntraced(function* (reason) {
          if (reason !== "busy") return yield* new DataFolderUnusable({ folder, detail: reason })
          return yield* new DataFolderInUse({ folder, pid: yield* holder })
        })
      )
    ),
    (database) => Effect.sync(() => database.close())
  )
  // only tells the next one who holds the lock, so a disk too full for it must not stop the start
  yield* Effect.ignore(Effect.tryPromise(() => writeFile(pidFile, `${process.pid}\n`, { mode: 0o640 })))
})

/** SQLITE_BUSY, 5 (https://www.sqlite.org/rescode.html#busy). */
const isBusy = (cause: unknown): boolean =>
  typeof cause === "object" && cause !== null && "errcode" in cause && cause.errcode === 5

const removeTemporary = (folder: DataFolder["Service"]) =>
  Effect.forEach(
    [folder.root, folder.recordings, folder.snapshots, folder.secrets],
    (inside) =>
      Effect.tryPromise(async () => {
        const names = await readdir(inside)
        const left = names.filter((name) => name.startsWith(temporaryPrefix))
        await Promise.all(left.map((name) => rm(join(inside, name), { force: true, recursive: true })))
      }).pipe(Effect.catch((error) => Effect.logWarning("cannot remove temporary files", error))),
    { discard: true }
  )
