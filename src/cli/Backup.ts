import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { SecureRandom } from "effect/crypto/SecureRandom"
import { join } from "node:path"
import { load, type Origin } from "../config/Load.ts"
import { Settings, settingsOf } from "../config/Settings.ts"
import { findFolder, type Folder } from "../doctor/Folder.ts"
import type { ArchiveFile } from "../doctor/Tar.ts"
import { Databases } from "../ground/Databases.ts"
import { Disk } from "../ground/Disk.ts"
import { lockName } from "../storage/DataFolder.ts"
import { copyName, indexName } from "../storage/FileIndex.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { bytesOf, configurationName, kept, pack } from "./BackupFile.ts"
import { CallFailed } from "./CallFailed.ts"

/** 30 MB are copied in less than a second; a disk that records takes longer. */
const copyTime = "60 seconds"

/** The index of a service that runs is its alone: it puts a copy beside it when it is asked to (SIGUSR2). */
const copyByService = Effect.fnUntraced(function* ({ path: folder, service: pid }: Folder) {
  if (pid === undefined) {
    const why = "but no service of this machine says that it does: another backup, or one in a container"
    return yield* new CallFailed({ detail: `another process works on ${folder}, ${why}. Try again, or run this there` })
  }
  const disk = yield* Disk
  const path = join(folder, copyName)
  yield* Effect.ignore(disk.remove(path))
  const names = yield* disk.watch(folder)
  yield* Effect.try({
    try: () => process.kill(pid, "SIGUSR2"),
    catch: () => new CallFailed({ detail: `process ${pid} is another user's: run this as the service's user` })
  })
  yield* Queue.takeAll(names).pipe(
    Effect.repeat({ until: (told) => told.includes(copyName) }),
    Effect.timeoutOrElse({
      duration: copyTime,
      orElse: () => new CallFailed({ detail: `process ${pid} has not copied its index: look into its log` })
    })
  )
  return yield* Effect.ensuring(bytesOf(path), Effect.ignore(disk.remove(path)))
}, Effect.scoped)

/** Of one that does not run; under its lock. */
const copyAtRest = Effect.fnUntraced(function* (folder: string) {
  const disk = yield* Disk
  const databases = yield* Databases
  const { uuidV4 } = yield* SecureRandom
  const path = join(folder, `${temporaryPrefix}${yield* uuidV4()}`)
  const copy = Effect.acquireUseRelease(
    Effect.sync(() => databases.open(join(folder, indexName))),
    (database) =>
      Effect.tryPromise({
        try: () => databases.copy(database, path),
        catch: (cause) => new CallFailed({ detail: `the index cannot be copied: ${String(cause)}` })
      }),
    (database) => Effect.sync(() => database.close())
  )
  return yield* Effect.ensuring(Effect.andThen(copy, bytesOf(path)), Effect.ignore(disk.remove(path)))
})

/** Whether a service runs is what its lock says: nobody is signalled who may be another program. */
const indexOf = Effect.fnUntraced(function* (folder: Folder) {
  const disk = yield* Disk
  if (!(yield* Effect.isSuccess(disk.state(join(folder.path, indexName))))) return []
  const isFree = yield* Effect.as(disk.lock(join(folder.path, lockName)), true).pipe(
    Effect.catch((error) => (error.code === "EBUSY" ? Effect.succeed(false) : Effect.fail(error)))
  )
  const bytes = yield* isFree ? copyAtRest(folder.path) : copyByService(folder)
  return [{ name: indexName, bytes }] satisfies ReadonlyArray<ArchiveFile>
}, Effect.scoped)

/**
 * A backup of this data folder and its configuration, be the service running or not; and the keys that are not in it, since
 * the environment sets them.
 */
export const backup = Effect.fnUntraced(
  function* (from: Origin) {
    const { configuration } = yield* load(from)
    const settings = yield* settingsOf(configuration)
    const folder = yield* Effect.provideService(findFolder, Settings, settings)
    if (!folder.isThere)
      return yield* new CallFailed({ detail: `${folder.path} is not there: there is nothing to keep` })
    const { file } = from
    const own = file === undefined ? [] : [{ name: configurationName, bytes: yield* bytesOf(file) }]
    const packed = yield* pack([...own, ...(yield* kept(folder.path)), ...(yield* indexOf(folder))])
    const missing = configuration.report.filter(({ source }) => source === "environment").map(({ key }) => key)
    return { packed, missing }
  },
  Effect.catchTag("DiskError", ({ cause }) =>
    Effect.fail(new CallFailed({ detail: `${String(cause)}: run this as the service's user` }))
  )
)
