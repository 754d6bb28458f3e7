import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { backup } from "../../src/cli/Backup.ts"
import { pack } from "../../src/cli/BackupFile.ts"
import { restore } from "../../src/cli/Restore.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { KernelFiles } from "../../src/ground/KernelFiles.ts"
import { TestGround } from "../../testing/TestGround.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (read: Uint8Array) => new TextDecoder().decode(read)
const from = (file?: string, environment: Readonly<Record<string, string>> = { CAMERA_SERVICE_DATA_DIR: "/data" }) => ({
  file,
  environment
})

/** A box with this retention; the rest of what a backup has is as well kept as that. */
const box = Effect.fnUntraced(function* (retention = `{"of":"now"}`) {
  const { disk } = yield* TestGround
  for (const folder of ["/data", "/data/secrets", "/etc"]) disk.outside.makeFolder(folder)
  disk.outside.write("/data/retention.json", bytes(retention))
  disk.outside.write("/data/secrets/jwt_secret", bytes("now"))
  return disk
})
const ofBefore = pack([
  { name: "cameras.json", bytes: bytes(`{"of":"before"}`) },
  { name: "retention.json", bytes: bytes(`{"of":"before"}`) },
  { name: "secrets/jwt_secret", bytes: bytes("before") }
])
const withData = (folder: string) => pack([{ name: "config.yaml", bytes: bytes(`data_dir: ${folder}\n`) }])

describe("a restore", () => {
  it.effect("keeps what was there under a name of its own each time", () =>
    Effect.gen(function* () {
      const { outside } = yield* box()
      yield* restore("file", yield* ofBefore, from())
      assert.strictEqual(textOf(outside.read("/data/secrets/jwt_secret")), "before")
      yield* TestClock.adjust("1 second")
      const said = yield* restore("file", yield* pack([]), from())
      const kept = outside.names("/data").filter((name) => name.startsWith("before-restore-"))
      assert.lengthOf(kept, 2)
      assert.include(said, `what was there is in /data/${kept[1]}`)
      yield* TestClock.adjust("1 second")
      yield* restore("file", outside.read(`/data/${kept[0]}`), from())
      assert.strictEqual(textOf(outside.read("/data/retention.json")), `{"of":"now"}`)
    }).pipe(Effect.provide(TestGround.layer))
  )

  it.effect("that the disk has no room for changes nothing, and leaves nothing half written", () =>
    Effect.gen(function* () {
      const { outside, suffer } = yield* box()
      const packed = yield* pack([
        { name: "retention.json", bytes: bytes(`{"of":"before"}`) },
        { name: "secrets/jwt_secret", bytes: new Uint8Array(5000) }
      ])
      yield* suffer({ name: "full", freeBytes: 3000 })
      const error = yield* Effect.flip(restore("file", packed, from()))
      assert.strictEqual(error._tag, "CallFailed")
      assert.include(error.message, "nothing was changed: ")
      assert.strictEqual(textOf(outside.read("/data/retention.json")), `{"of":"now"}`)
      assert.strictEqual(textOf(outside.read("/data/secrets/jwt_secret")), "now")
      const left = [...outside.names("/data"), ...outside.names("/data/secrets")]
      assert.isEmpty(left.filter((name) => name.startsWith(".tmp-")))
    }).pipe(Effect.scoped, Effect.provide(TestGround.layer))
  )

  it.effect("is refused where the backup's configuration has its data in another folder", () =>
    Effect.gen(function* () {
      const { outside } = yield* box()
      outside.write("/etc/config.yaml", bytes("data_dir: /data\n"))
      const ours = from("/etc/config.yaml", {})
      const error = yield* Effect.flip(restore("file", yield* withData("/mnt/cameras"), ours))
      assert.strictEqual(error._tag, "BackupUnusable")
      assert.include(error.message, "has data_dir /mnt/cameras, and the one here /data: ")
      assert.deepStrictEqual(outside.names("/data").toSorted(), ["retention.json", "secrets"])
      yield* restore("file", yield* withData("/data"), ours)
    }).pipe(Effect.provide(TestGround.layer))
  )

  it.effect("is refused in a folder of another user's", () =>
    Effect.gen(function* () {
      const { outside } = yield* box()
      const disk = yield* Disk
      const foreign = Disk.of({ ...disk, rights: () => Effect.succeed({ owner: 999, mode: 0o755 }) })
      const error = yield* restore("file", yield* ofBefore, from()).pipe(
        Effect.provideService(Disk, foreign),
        Effect.flip
      )
      assert.strictEqual(error._tag, "DataFolderForeign")
      assert.deepStrictEqual(outside.names("/data").toSorted(), ["retention.json", "secrets"])
    }).pipe(Effect.provide(TestGround.layer))
  )
})

describe("a backup", () => {
  it.effect("signals no process but a service that works on the folder", () =>
    Effect.gen(function* () {
      const { outside } = yield* box()
      const disk = yield* Disk
      const kernel = yield* KernelFiles
      outside.write("/data/index.sqlite", bytes(""))
      outside.write("/data/service.pid", bytes(`${process.pid}\n`))
      yield* disk.lock("/data/service.lock")
      for (const words of [["vim", "/etc/camera-service/config.yaml"], ["node", "camera-service.cjs", "watch"], []]) {
        const editor = KernelFiles.of({ ...kernel, text: () => words.join("\0") })
        const error = yield* backup(from()).pipe(Effect.provideService(KernelFiles, editor), Effect.flip)
        assert.strictEqual(error._tag, "CallFailed")
        assert.include(error.message, "another process works on /data, ")
      }
    }).pipe(Effect.scoped, Effect.provide(TestGround.layer))
  )

  it.effect("tells what it lacks, since the environment sets it", () =>
    Effect.gen(function* () {
      yield* box()
      const secret = { CAMERA_SERVICE_DATA_DIR: "/data", CAMERA_SERVICE_AUTH_JWT_SECRET: "s".repeat(32) }
      const { missing } = yield* backup(from(undefined, secret))
      assert.deepStrictEqual(missing, ["data_dir", "auth.jwt_secret"])
    }).pipe(Effect.provide(TestGround.layer))
  )

  it.effect("of more than could be put back is not made", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(pack([{ name: "index.sqlite", bytes: new Uint8Array(1 << 30) }]))
      assert.include(error.message, "1024 MiB at most")
    })
  )
})
