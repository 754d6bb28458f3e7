import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DataFolder, lockName, StandardFolders, standardFolders } from "../../src/storage/DataFolder.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { dataFolderAt, realGround, settingsWith, temporaryFolder } from "./Workbench.ts"

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

/** Another process that holds the folder until it is killed; resolves once it does. */
const otherService = (root: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const program = `
        import * as Effect from "effect/Effect"
        import * as Layer from "effect/Layer"
        import { dataFolderAt } from ${JSON.stringify(new URL("./Workbench.ts", import.meta.url).href)}
        setInterval(() => {}, 1000)
        Effect.runPromise(Effect.scoped(Effect.gen(function* () {
          yield* Layer.build(dataFolderAt(process.argv[1]))
          console.log("held")
          yield* Effect.never
        })))`
      const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program, root], {
        cwd: new URL("../..", import.meta.url).pathname,
        stdio: ["ignore", "pipe", "inherit"]
      })
      await once(child.stdout, "data")
      return child
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const folderOn = (disk: Disk["Service"]) =>
  DataFolder.layerShared.pipe(Layer.provide([Layer.succeed(Disk, disk), settingsWith({ data_dir: "/new/data" })]))

describe("the data folder", () => {
  it.effect("has its folders, and secrets that only the service can read", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "new", "data")
      yield* Effect.promise(() => mkdir(join(root, "secrets"), { recursive: true, mode: 0o777 }))
      yield* Effect.promise(() => chmod(join(root, "secrets"), 0o777))
      const folder = yield* Effect.provide(DataFolder, dataFolderAt(root))
      assert.strictEqual(folder.root, root)
      assert.strictEqual(yield* Effect.promise(() => modeOf(folder.secrets)), 0o700)
      assert.isTrue((yield* Effect.promise(() => stat(folder.recordings))).isDirectory())
      assert.isTrue((yield* Effect.promise(() => stat(folder.snapshots))).isDirectory())
    })
  )

  it.effect("is there after a power cut, with what is synced in it", () =>
    Effect.gen(function* () {
      const memory = yield* MemoryDisk
      const { disk, kill } = memory.use(() => undefined)
      const { snapshots } = yield* Effect.provide(DataFolder, folderOn(disk))
      const picture = yield* disk.create(join(snapshots, "a.jpg"), 0o640)
      yield* picture.append(new Uint8Array(3))
      yield* picture.sync
      yield* disk.sync(snapshots)
      kill()
      // of all that was not synced nothing is left
      memory.losePower(() => 0)
      assert.lengthOf(memory.outside.read(join(snapshots, "a.jpg")), 3)
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("is given without links on the way", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.promise(() => mkdir(join(root, "real")))
      yield* Effect.promise(() => symlink(join(root, "real"), join(root, "linked")))
      const folder = yield* Effect.provide(DataFolder, dataFolderAt(join(root, "linked")))
      assert.strictEqual(folder.root, join(root, "real"))
    })
  )

  it.effect("is the first standard one that can be written when the configuration names none", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.promise(() => writeFile(join(root, "file"), ""))
      const layer = DataFolder.layer.pipe(
        Layer.provide(settingsWith({})),
        Layer.provide(Layer.succeed(StandardFolders, [join(root, "file", "never"), join(root, "second")])),
        Layer.provide(realGround)
      )
      const folder = yield* Effect.provide(DataFolder, layer)
      assert.strictEqual(folder.root, join(root, "second"))
    })
  )

  it.effect("of a token is the service's: no secret is made beside a service's folder that may not be written to", () =>
    Effect.gen(function* () {
      const { outside, suffer } = yield* MemoryDisk
      const [system, own] = ["/var/lib/camera-service", "/home/ann/camera-service"]
      const settings = Layer.merge(settingsWith({}), Layer.succeed(StandardFolders, [system, own]))
      const chosen = Effect.map(DataFolder, ({ root }) => root).pipe(
        Effect.provide(DataFolder.layerOfToken.pipe(Layer.provide(settings)))
      )
      const locked = yield* suffer({ name: "read-only", at: system })
      // there is no service's folder yet, and it will be this user's
      assert.strictEqual(yield* chosen, own)
      outside.makeFolder(system)
      const error = yield* Effect.flip(chosen)
      assert.strictEqual(error._tag, "DataFolderForeign")
      assert.include(error.message, `${system} is another user's: run this as the service's user`)
      assert.deepStrictEqual(outside.names(`${own}/secrets`), [])
      // this user's service has been there, so it signs with that
      outside.write(`${own}/secrets/jwt_secret`, new Uint8Array(43))
      assert.strictEqual(yield* chosen, own)
      yield* locked.takeBack
      assert.strictEqual(yield* chosen, system)
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it("takes XDG_STATE_HOME only when it is absolute", () => {
    const home = "/home/ann/.local/state/camera-service"
    assert.deepStrictEqual(standardFolders("/home/ann"), ["/var/lib/camera-service", home])
    assert.strictEqual(standardFolders("/home/ann", "relative")[1], home)
    assert.strictEqual(standardFolders("/home/ann", "/state")[1], "/state/camera-service")
  })

  it.effect("that cannot be made stops the start and is named", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.promise(() => writeFile(join(root, "file"), ""))
      const error = yield* Effect.flip(Effect.provide(DataFolder, dataFolderAt(join(root, "file"))))
      assert.strictEqual(error._tag, "DataFolderUnusable")
      assert.include(error.message, join(root, "file"))
    })
  )

  it.effect("that cannot be locked stops the start with what that means: no code of SQLite's", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.promise(() => writeFile(join(root, lockName), "x".repeat(4096)))
      const { message } = yield* Effect.flip(Effect.provide(DataFolder, dataFolderAt(root)))
      assert.include(message, "(EUCLEAN: a file that the service keeps is damaged)")
    })
  )

  it.effect("is cleaned of what an earlier run left half written, and of nothing else", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.provide(DataFolder, dataFolderAt(root))
      const snapshots = join(root, "snapshots")
      yield* Effect.promise(() => writeFile(join(snapshots, ".tmp-1"), "half"))
      yield* Effect.promise(() => writeFile(join(snapshots, "door.jpg"), "whole"))
      yield* Effect.provide(DataFolder, dataFolderAt(root))
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(snapshots)), ["door.jpg"])
    })
  )

  it.effect("is refused to a second service, which is told who has it; a reader beside it is welcome", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const other = yield* otherService(root)
      const error = yield* Effect.flip(Effect.provide(DataFolder, dataFolderAt(root)))
      assert.strictEqual(error._tag, "DataFolderInUse")
      assert.include(error.message, String(other.pid))
      const beside = DataFolder.layerShared.pipe(Layer.provide([settingsWith({ data_dir: root }), realGround]))
      assert.strictEqual((yield* Effect.provide(DataFolder, beside)).root, root)
    })
  )

  it.effect("tells who works on it until that ends", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const names = Effect.promise(() => readdir(root))
      const during = yield* Effect.provide(names, dataFolderAt(root))
      assert.include(during, "service.pid")
      assert.notInclude(yield* names, "service.pid")
    })
  )

  it.effect("is free again at once when its service was killed with -9", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const other = yield* otherService(root)
      const gone = once(other, "exit")
      other.kill("SIGKILL")
      yield* Effect.promise(() => gone)
      assert.strictEqual((yield* Effect.provide(DataFolder, dataFolderAt(root))).root, root)
    })
  )
})
