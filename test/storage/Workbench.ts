import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { mkdtemp, realpath, rm } from "node:fs/promises"
import * as Layer from "effect/Layer"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import { Databases } from "../../src/ground/Databases.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { Threads } from "../../src/ground/Threads.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { DiskGuard } from "../../src/storage/DiskGuard.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { Holds } from "../../src/storage/Holds.ts"
import type { StoredFile } from "../../src/storage/IndexedFile.ts"
import { Retention } from "../../src/storage/Retention.ts"
import { RetentionPolicies } from "../../src/storage/RetentionPolicies.ts"
import { StorageUsage } from "../../src/storage/StorageUsage.ts"
import { testSettings } from "../support/TestSettings.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { MemoryDatabases } from "../../testing/MemoryDatabases.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import * as QuietMachine from "../../testing/QuietMachine.ts"

/** A folder of its own, gone with the scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.promise(async () => realpath(await mkdtemp(join(tmpdir(), "camera-storage-")))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** The default settings with some keys set. */
export const settingsWith = (keys: {
  readonly data_dir?: string
  readonly health?: { readonly host: string; readonly port: number }
  readonly server?: { readonly host: string; readonly port: number }
  readonly tls?: { readonly certificate_file: string; readonly key_file: string }
}) =>
  Layer.sync(Settings, () => {
    const { health, server, ...rest } = keys
    const { boot, ...others } = testSettings(rest)
    // no operator may set port 0, the one that the system chooses
    return {
      ...others,
      boot: { ...boot, health: { ...boot.health, ...health }, server: { ...boot.server, ...server } }
    }
  })

/** The machine's own, and its disk. */
export const realGround = Layer.mergeAll(Disk.layer, Databases.layer, Machine.layer, Threads.layer, layerWebCrypto)
/** A disk in memory, on the test's clock; one that lives as long as the test, so that a service finds it again. */
export const memoryGround = Layer.mergeAll(
  MemoryDisk.layer,
  MemoryDatabases.layer,
  QuietMachine.layer,
  Threads.layer,
  layerWebCrypto
)

const dataFolder = (root: string, settings = settingsWith({ data_dir: root })) =>
  Layer.mergeAll(DataFolder.layer, SmallFiles.layer).pipe(Layer.provideMerge(settings))

/** The whole room on a folder of the ground, as `App.ts` puts it together. */
export const storage = (root: string, settings?: Layer.Layer<Settings>) =>
  Layer.mergeAll(Retention.layer, StorageUsage.layer).pipe(
    Layer.provide(RetentionPolicies.layer),
    Layer.provideMerge(Files.layer),
    Layer.provideMerge(Layer.merge(FileIndex.layer, DiskGuard.layer)),
    Layer.provideMerge(Holds.layer),
    Layer.provideMerge(dataFolder(root, settings))
  )

export const dataFolderAt = (root: string) => dataFolder(root).pipe(Layer.provideMerge(realGround))
export const storageAt = (root: string) => storage(root).pipe(Layer.provideMerge(realGround))

export const indexed = (file: Partial<StoredFile> & Pick<StoredFile, "filename">): StoredFile => ({
  kind: "recording",
  device: "camera0",
  bytes: 1,
  modified: 1_767_323_045_000,
  created: 1_767_323_045_000,
  duration: 1.5,
  codec: "h264",
  width: 640,
  height: 480,
  beside: 0,
  ...file
})

/** The smallest JPEG: one grey pixel (JFIF, 8 × 8 block, made by hand after ITU-T T.81). */
export const jpeg = Uint8Array.from(
  Buffer.from(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q==",
    "base64"
  )
)

/** One transparent pixel. */
export const png = Uint8Array.from(
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    "base64"
  )
)
