import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { version } from "../config/Version.ts"
import { camerasName } from "../device/CameraNames.ts"
import { gunzip, gzip } from "../doctor/Gzip.ts"
import { type ArchiveFile, tar, tarBytes, textEntry, untar } from "../doctor/Tar.ts"
import { discoveryName } from "../external/DiscoveryInterval.ts"
import { streamsName } from "../external/StreamFiles.ts"
import { Disk } from "../ground/Disk.ts"
import { ifThere } from "../ground/DiskError.ts"
import { isoTime } from "../ground/Time.ts"
import { dataFormat } from "../storage/DataFolder.ts"
import { indexName } from "../storage/FileIndex.ts"
import { retentionName } from "../storage/RetentionPolicies.ts"
import { BackupUnusable } from "./BackupUnusable.ts"
import { CallFailed } from "./CallFailed.ts"

/*
 * A backup: a tar archive (gzip) of what the service keeps and cannot make again: names, network cameras, policies, keys and
 * secrets; of the index, which it can, since that takes long; and of the configuration. Recordings and snapshots are not in it.
 */

const aboutName = "backup.json"
export const configurationName = "config.yaml"

/** What lies in the data folder itself; all of it is JSON. */
const settingsNames: ReadonlyArray<string> = [camerasName, streamsName, discoveryName, retentionName]
const secretName = /^secrets\/[a-z][a-z0-9_.]{0,63}$/

/** An index of 100,000 files has 40 MB. */
const mostBytes = 1 << 30

const About = Schema.fromJsonString(
  Schema.Struct({ data_format: Schema.Int, version: Schema.String, made: Schema.String })
)

export const bytesOf = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  const file = yield* disk.open(path)
  const { bytes } = yield* file.state
  return yield* file.read(0, bytes)
}, Effect.scoped)

/** The settings and secrets that are in this data folder now. */
export const kept = Effect.fnUntraced(function* (folder: string) {
  const disk = yield* Disk
  const secrets = (yield* disk.names(join(folder, "secrets"))).map((name) => `secrets/${name}`)
  const names = [...settingsNames, ...secrets.filter((name) => secretName.test(name)).toSorted()]
  const entries = yield* Effect.forEach(names, (name) =>
    Effect.map(ifThere(bytesOf(join(folder, name))), (bytes): ReadonlyArray<ArchiveFile> =>
      bytes === undefined ? [] : [{ name, bytes }]
    )
  )
  return entries.flat()
})

/** Packs these, unless they are more than can be unpacked. */
export const pack = Effect.fnUntraced(function* (entries: ReadonlyArray<ArchiveFile>) {
  const wall = yield* Clock.currentTimeMillis
  const about = { data_format: dataFormat, version, made: isoTime(wall) }
  const all = [textEntry(aboutName, `${JSON.stringify(about)}\n`), ...entries]
  const size = tarBytes(all)
  if (size > mostBytes) {
    const detail = `a backup has ${mostBytes >> 20} MiB at most, and this would have ${Math.ceil(size / 2 ** 20)}`
    return yield* new CallFailed({
      detail: `${detail}: without ${indexName}, while the service does not run, it is small, and the index is made again`
    })
  }
  return yield* gzip(tar(all, Math.floor(wall / 1000)))
})

/** What is in a backup; one that is not whole, of other programs, or of a newer version than this is refused. */
export const unpack = Effect.fnUntraced(function* (file: string, packed: Uint8Array) {
  const refuse = (detail: string) => new BackupUnusable({ file, detail })
  const archive = yield* Effect.mapError(gunzip(packed, mostBytes), () => refuse("it is no backup, or not whole"))
  const [first, ...entries] = untar(archive) ?? []
  const about = Schema.decodeExit(About)(new TextDecoder().decode(first?.bytes))
  if (first?.name !== aboutName || Exit.isFailure(about)) return yield* refuse("it is no backup, or not whole")
  if (about.value.data_format > dataFormat) {
    return yield* refuse(`camera-service ${about.value.version} has made it, which is newer: install that first`)
  }
  for (const { bytes, name } of entries) {
    const isSettings = settingsNames.includes(name)
    if (!isSettings && !secretName.test(name) && name !== indexName && name !== configurationName) {
      return yield* refuse(`${name} in it is nothing that a backup has`)
    }
    if (isSettings && !isJson(bytes)) return yield* refuse(`${name} in it is not readable`)
  }
  return { about: about.value, entries }
})

const isJson = (bytes: Uint8Array): boolean =>
  Exit.isSuccess(Schema.decodeExit(Schema.fromJsonString(Schema.Unknown))(new TextDecoder().decode(bytes)))
