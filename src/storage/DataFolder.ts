import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DataFolderForeign, DataFolderInUse, DataFolderNewer, DataFolderUnusable } from "../config/StartupErrors.ts"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { Settings } from "../config/Settings.ts"
import { Disk } from "../ground/Disk.ts"
import { Machine } from "../ground/Machine.ts"
import type { DiskError } from "../ground/DiskError.ts"
import { Served } from "../self/Served.ts"
import { temporaryPrefix } from "./NewFile.ts"
import { whyFailed } from "./StorageFailed.ts"

/**
 * Where data goes when the configuration names no folder: the first of these that can be written. `stateHome` is
 * `XDG_STATE_HOME`, which counts only when it is absolute (XDG Base Directory Specification).
 */
export const standardFolders = (home: string, stateHome?: string): ReadonlyArray<string> => [
  systemFolder,
  join(stateHome !== undefined && isAbsolute(stateHome) ? stateHome : join(home, ".local", "state"), "camera-service")
]
const systemFolder = "/var/lib/camera-service"

/** The folders to try where `data_dir` is empty; the command line puts its user's in. */
export const StandardFolders = Context.Reference<ReadonlyArray<string>>("camera-service/storage/StandardFolders", {
  defaultValue: () => [systemFolder]
})

/**
 * How data lies in the folder. Within one format whatever is new is only added, so that the version before opens it too; a
 * folder of a later one is not touched.
 *
 * It is said once clients are served, which is early enough for the first format alone: a later one has to stand in the folder
 * before anything of its own does, and there also in the place of an earlier one.
 */
export const dataFormat = 1

/** Whoever works on the folder has the lock on this file in it, and its number in the other one, until its end. */
export const lockName = "service.lock"
export const pidName = "service.pid"

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
  /** For programs that run beside the service and only read what lasts. */
  static readonly layerShared = Layer.effect(
    DataFolder,
    Effect.suspend(() => choose(() => Effect.void))
  )

  /** For who may make the secret that signs tokens: not in this user's own folder, where the service has another user's. */
  static readonly layerOfToken = Layer.effect(
    DataFolder,
    Effect.suspend(() => Effect.catchTag(choose(mayMakeSecret), "DataFolderUnusable", orForeign))
  )

  /** For the service: one at a time on a folder; what an earlier run left half written is removed. */
  static readonly layer = Layer.effect(
    DataFolder,
    Effect.gen(function* () {
      const folder = yield* taken(choose(() => Effect.void))
      // a folder without it is of the first format: its sync makes no client wait
      const { await: awaitServed } = yield* Served
      yield* Effect.forkScoped(Effect.andThen(awaitServed, sayFormat(folder.root)))
      return folder
    })
  )

  /** For who writes there in the service's place, as `layer`: not into another user's, whose service could not read it. */
  static readonly layerOwned = Layer.effect(
    DataFolder,
    Effect.tap(
      Effect.suspend(() => taken(choose(requireOwn))),
      ({ root }) => sayFormat(root)
    )
  )
}

const taken = Effect.fnUntraced(function* <E, R>(chosen: Effect.Effect<DataFolder["Service"], E, R>) {
  const folder = yield* chosen
  yield* lock(folder.root)
  yield* requireFormat(folder.root)
  yield* removeTemporary(folder)
  return folder
})

/** The first folder that can be used. `agreed` is asked about it, and told which ones before it could not. */
const choose = Effect.fnUntraced(function* <E, R>(
  agreed: (folder: string, before: ReadonlyArray<string>) => Effect.Effect<void, E, R>
) {
  const { data_dir } = (yield* Settings).boot
  const candidates = data_dir === "" ? yield* StandardFolders : [resolve(data_dir)]
  for (const [i, folder] of candidates.entries()) {
    yield* agreed(folder, candidates.slice(0, i))
    const made = yield* Effect.result(prepare(folder))
    if (made._tag === "Success") return DataFolder.of(made.success)
    if (i === candidates.length - 1) return yield* made.failure
  }
  return yield* new DataFolderUnusable({ folder: "", detail: "none is known" })
})

/** One that is there, and closed to us. */
const orForeign = Effect.fnUntraced(function* (error: DataFolderUnusable) {
  const { detail, folder } = error
  const isClosed = /^(EACCES|EPERM):/.test(detail)
  if (isClosed && (yield* isThere(folder))) return yield* new DataFolderForeign({ folder })
  return yield* error
})

const isThere = (path: string) => Effect.flatMap(Disk, (disk) => Effect.isSuccess(disk.state(path)))

const mayMakeSecret = Effect.fnUntraced(function* (folder: string, before: ReadonlyArray<string>) {
  if (yield* isThere(join(folder, "secrets", "jwt_secret"))) return
  for (const other of before) if (yield* isThere(other)) return yield* new DataFolderForeign({ folder: other })
})

/** A volume that root has given to the service's group is as good as its own, but for secrets of another user's in it. */
const requireOwn = Effect.fnUntraced(function* (folder: string) {
  const disk = yield* Disk
  const { id } = (yield* Machine).user()
  // the next folder is tried
  if (yield* Effect.isFailure(disk.mayWrite(folder))) return
  for (const path of [folder, join(folder, "secrets")]) {
    const owner = yield* Effect.orElseSucceed(
      Effect.map(disk.rights(path), (rights) => rights.owner),
      () => id
    )
    if (owner !== id && owner !== 0) return yield* new DataFolderForeign({ folder })
  }
})

const prepare = Effect.fnUntraced(
  function* (folder: string) {
    const disk = yield* Disk
    yield* makeFolder(folder, 0o750)
    yield* disk.mayWrite(folder)
    const root = yield* disk.realPath(folder)
    const inside = Effect.fnUntraced(function* (name: string, mode: number) {
      yield* makeFolder(join(root, name), mode)
      return yield* disk.realPath(join(root, name))
    })
    const folders = yield* Effect.all(
      {
        recordings: inside("recordings", 0o750),
        snapshots: inside("snapshots", 0o750),
        secrets: inside("secrets", 0o700)
      },
      { concurrency: "unbounded" }
    )
    yield* disk.setMode(folders.secrets, 0o700) // it may have been there with other rights
    return { root, ...folders }
  },
  (made, folder) => Effect.mapError(made, unusable(folder))
)

/** With those above it, and each that is new for good: what is synced in a folder that a power cut takes is gone with it. */
const makeFolder = Effect.fnUntraced(function* (path: string, mode: number): Effect.fn.Return<void, DiskError, Disk> {
  const disk = yield* Disk
  const isNew = !(yield* isThere(path))
  if (isNew && dirname(path) !== path) yield* makeFolder(dirname(path), mode)
  yield* disk.makeFolder(path, mode)
  if (!isNew) return
  yield* disk
    .sync(dirname(path))
    .pipe(
      Effect.catch(({ cause }) =>
        Effect.logWarning("a new folder may not outlive a power cut", { folder: path }, cause)
      )
    )
})

const unusable = (folder: string) => (error: DiskError) => {
  const { cause, code } = error
  const why = whyFailed(error)
  return new DataFolderUnusable({
    folder,
    detail: code === "" ? String(cause) : why === code ? code : `${code}: ${why}`
  })
}

/** One service a folder. */
const lock = Effect.fnUntraced(function* (folder: string) {
  const disk = yield* Disk
  const { own } = yield* Machine
  const pidFile = join(folder, pidName)
  const holder = Effect.orElseSucceed(disk.text(pidFile), () => "")
  yield* disk.lock(join(folder, lockName)).pipe(
    Effect.catch(
      Effect.fnUntraced(function* (error) {
        if (error.code !== "EBUSY") return yield* unusable(folder)(error)
        return yield* new DataFolderInUse({ folder, pid: Number.parseInt(yield* holder, 10) || 0 })
      })
    )
  )
  // only tells the next one who holds the lock, so a disk too full for it must not stop the start
  yield* Effect.ignore(disk.remove(pidFile))
  yield* Effect.addFinalizer(() => Effect.ignore(disk.remove(pidFile)))
  yield* Effect.ignore(write(pidFile, `${own.pid}\n`))
})

const formatFile = (folder: string) => join(folder, "format")

const formatText = (folder: string) =>
  Effect.flatMap(Disk, (disk) => Effect.orElseSucceed(disk.text(formatFile(folder)), () => ""))

const requireFormat = Effect.fnUntraced(function* (folder: string) {
  const format = Number.parseInt(yield* formatText(folder), 10)
  if (format > dataFormat) return yield* new DataFolderNewer({ folder, format, known: dataFormat })
})

/** A disk that is too full for it does not matter. */
const sayFormat = Effect.fnUntraced(function* (folder: string) {
  if ((yield* formatText(folder)) !== "") return
  const disk = yield* Disk
  const aside = join(folder, `${temporaryPrefix}format`)
  yield* Effect.ignore(disk.remove(aside))
  yield* write(aside, `${dataFormat}\n`).pipe(
    Effect.andThen(disk.sync(aside)),
    Effect.andThen(disk.rename(aside, formatFile(folder))),
    Effect.andThen(disk.sync(folder)),
    Effect.ignore
  )
})

const write = (path: string, text: string) =>
  Effect.flatMap(Disk, ({ create }) => create(path, 0o640)).pipe(
    Effect.flatMap((file) => file.append(new TextEncoder().encode(text))),
    Effect.scoped
  )

const removeTemporary = Effect.fnUntraced(function* (folder: DataFolder["Service"]) {
  const disk = yield* Disk
  const removeIn = (inside: string) =>
    Effect.map(disk.names(inside), (names) => names.filter((name) => name.startsWith(temporaryPrefix))).pipe(
      Effect.flatMap(Effect.forEach((name) => disk.removeAll(join(inside, name)))),
      Effect.catch((error) => Effect.logWarning("cannot remove temporary files", error.cause))
    )
  const all = [folder.root, folder.recordings, folder.snapshots, folder.secrets]
  yield* Effect.forEach(all, removeIn, { concurrency: "unbounded", discard: true })
})
