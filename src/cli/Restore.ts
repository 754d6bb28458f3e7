import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import { load, type Origin } from "../config/Load.ts"
import { Settings, settingsOf } from "../config/Settings.ts"
import { Databases } from "../ground/Databases.ts"
import { Disk } from "../ground/Disk.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"
import { configurationName, indexName, kept, pack, unpack } from "./BackupFile.ts"

/** What was there before, as a backup of its own. */
const beforeName = "before-restore.tar.gz"

/**
 * Makes a data folder what it was when this backup of it was made, but for recordings and snapshots, which stay; the service
 * must not run. All of the backup is looked at before anything is changed, and what was there is kept beside.
 */
export const restore = Effect.fnUntraced(function* (file: string, packed: Uint8Array, from: Origin) {
  const { about, entries } = yield* unpack(file, packed)
  const { configuration } = yield* load(from)
  const context = Layer.succeed(Settings, yield* settingsOf(configuration))
  const folders = yield* Layer.build(Layer.mergeAll(DataFolder.layer, SmallFiles.layer).pipe(Layer.provide(context)))
  const { root } = Context.get(folders, DataFolder)
  const smallFiles = Context.get(folders, SmallFiles)
  const disk = yield* Disk
  const databases = yield* Databases
  const { uuidV4 } = yield* SecureRandom

  /** In the place of what has the name. */
  const put = Effect.fnUntraced(function* (name: string, bytes: Uint8Array) {
    const aside = join(root, `${temporaryPrefix}${yield* uuidV4()}`)
    yield* Effect.scoped(
      Effect.flatMap(disk.create(aside, 0o600), (made) => Effect.andThen(made.append(bytes), made.sync))
    )
    yield* disk.rename(aside, join(root, name))
    yield* disk.sync(root)
  })

  const before = yield* kept(root)
  if (before.length > 0) yield* put(beforeName, yield* pack(before))
  const has = (name: string) => entries.some((entry) => entry.name === name)
  for (const { bytes, name } of entries) {
    if (name === configurationName) continue
    if (name !== indexName) yield* smallFiles.write(join(root, name), new TextDecoder().decode(bytes))
    else {
      databases.remove(join(root, indexName))
      yield* put(name, bytes)
    }
  }
  for (const { name } of before) if (!has(name)) yield* disk.remove(join(root, name))
  const restored = entries.filter(({ name }) => name !== configurationName).map(({ name }) => name)
  const lines = [
    `${root} is as on ${about.made}: ${restored.join(", ")}`,
    ...(before.length > 0 ? [`what was there is in ${join(root, beforeName)}`] : []),
    ...(has(configurationName)
      ? [`the configuration stays; that of the backup: tar -xzOf ${file} ${configurationName}`]
      : [])
  ]
  return `${lines.join("\n")}\n`
}, Effect.scoped)
