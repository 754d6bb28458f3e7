import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { dirname, join } from "node:path"
import { configurationOf, load, type Origin } from "../config/Load.ts"
import { Settings, settingsOf } from "../config/Settings.ts"
import type { ArchiveFile } from "../doctor/Tar.ts"
import { Databases } from "../ground/Databases.ts"
import { Disk } from "../ground/Disk.ts"
import { diskError } from "../ground/DiskError.ts"
import { isoTime, now } from "../ground/Time.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { indexName } from "../storage/FileIndex.ts"
import { nameNew, temporaryPrefix } from "../storage/NewFile.ts"
import { configurationName, kept, pack, unpack } from "./BackupFile.ts"
import { BackupUnusable } from "./BackupUnusable.ts"
import { CallFailed } from "./CallFailed.ts"

/** Under a temporary name, on the disk, beside where it is to be. */
const writeAside = Effect.fnUntraced(function* (path: string, bytes: Uint8Array) {
  const disk = yield* Disk
  const { uuidV4 } = yield* SecureRandom
  const aside = yield* Effect.acquireRelease(
    Effect.map(uuidV4(), (id) => join(dirname(path), `${temporaryPrefix}${id}`)),
    (made) => Effect.ignore(disk.remove(made))
  )
  yield* Effect.scoped(
    Effect.flatMap(disk.create(aside, 0o600), ({ append, sync }) => Effect.andThen(append(bytes), sync))
  )
  return { aside, path }
})

/** The backup's configuration says where its data was: in another folder no service would find it. */
const requireSameFolder = Effect.fnUntraced(function* (
  file: string,
  entries: ReadonlyArray<ArchiveFile>,
  from: Origin,
  data_dir: string
) {
  const theirs = entries.find(({ name }) => name === configurationName)
  if (theirs === undefined) return undefined
  const text = new TextDecoder().decode(theirs.bytes)
  const { boot } = yield* Effect.mapError(
    configurationOf(text, { ...from, file: configurationName }),
    ({ message }) => new BackupUnusable({ file, detail: `its configuration is not good here: ${message}` })
  )
  if (boot.data_dir === data_dir) return text
  const [here, there] = [data_dir, boot.data_dir].map((folder) => (folder === "" ? "none" : folder))
  const detail = `its configuration has data_dir ${there}, and the one here ${here}`
  const way = `tar -xzOf ${file} ${configurationName}`
  return yield* new BackupUnusable({ file, detail: `${detail}: put that of the backup in place first (${way})` })
})

/**
 * Makes a data folder what it was when this backup of it was made, but for recordings and snapshots, which stay; the service
 * must not run. What was there is kept beside, as a backup of its own. Nothing has its name before all is on the disk.
 */
export const restore = Effect.fnUntraced(
  function* (file: string, packed: Uint8Array, from: Origin) {
    const { about, entries } = yield* unpack(file, packed)
    const { configuration, text } = yield* load(from)
    const { data_dir } = configuration.boot
    const theirText = yield* requireSameFolder(file, entries, from, data_dir)
    const context = Layer.succeed(Settings, yield* settingsOf(configuration))
    const { root } = Context.get(yield* Layer.build(DataFolder.layerOwned.pipe(Layer.provide(context))), DataFolder)
    const disk = yield* Disk
    const databases = yield* Databases

    const before = yield* kept(root)
    const { wall } = yield* now
    const beforeFile = join(root, `before-restore-${isoTime(wall).replaceAll(":", "")}.tar.gz`)
    const nothingChanged = (detail: string) => new CallFailed({ detail: `nothing was changed: ${detail}` })
    const data = entries.filter(({ name }) => name !== configurationName)
    const written = yield* Effect.gen(function* () {
      if (before.length > 0) {
        const { aside } = yield* writeAside(beforeFile, yield* pack(before))
        if (!(yield* nameNew(disk, aside, beforeFile))) return yield* nothingChanged(`${beforeFile} is there already`)
        yield* disk.sync(root)
      }
      return yield* Effect.forEach(data, ({ bytes, name }) => writeAside(join(root, name), bytes))
    }).pipe(Effect.catchTag("DiskError", ({ cause }) => nothingChanged(String(cause))))

    const restored = data.map(({ name }) => name)
    yield* Effect.gen(function* () {
      if (restored.includes(indexName))
        yield* Effect.try({ try: () => databases.remove(join(root, indexName)), catch: diskError })
      for (const { aside, path } of written) yield* disk.rename(aside, path)
      for (const { name } of before) if (!restored.includes(name)) yield* disk.remove(join(root, name))
      for (const folder of [join(root, "secrets"), root]) yield* disk.sync(folder)
    }).pipe(
      Effect.uninterruptible,
      Effect.catchTag("DiskError", ({ cause }) => {
        const again = `restore it again, or what was before (${beforeFile})`
        return new CallFailed({ detail: `only a part is in place, ${again}: ${String(cause)}` })
      })
    )
    const lines = [
      `${root} is as on ${about.made}: ${restored.join(", ")}`,
      ...(before.length > 0 ? [`what was there is in ${beforeFile}`] : []),
      ...(theirText !== undefined && theirText !== text
        ? [`the configuration stays; that of the backup: tar -xzOf ${file} ${configurationName}`]
        : [])
    ]
    return `${lines.join("\n")}\n`
  },
  Effect.scoped,
  Effect.catchTag("DiskError", ({ cause }) => new CallFailed({ detail: `nothing was changed: ${String(cause)}` }))
)
