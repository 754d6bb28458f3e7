import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Disk } from "../../src/ground/Disk.ts"
import { diskSuite } from "../suites/disk.ts"

describe("the real disk", () => {
  diskSuite(Disk.layer)

  it.live("gives a new file the mode that is asked for, whatever the umask says", () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      const path = join(yield* disk.temporaryFolder("camera-disk-"), "file")
      const umask = process.umask(0o077)
      yield* Effect.ensuring(
        disk.create(path, 0o644),
        Effect.sync(() => process.umask(umask))
      )
      assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o777, 0o644)
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("makes folders where it may, and ends where the kernel has no room for them", () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      const root = yield* disk.temporaryFolder("camera-disk-")
      yield* disk.makeFolder(join(root, "a/b/c"), 0o750)
      yield* disk.makeFolder(join(root, "a/b/c"), 0o700)
      assert.strictEqual((yield* Effect.promise(() => stat(join(root, "a/b/c")))).mode & 0o777, 0o750)
      yield* Effect.promise(() => symlink(join(root, "a"), join(root, "link")))
      yield* disk.makeFolder(join(root, "link/d"), 0o750)
      yield* Effect.promise(() => writeFile(join(root, "file"), ""))
      const codeOf = (path: string) => Effect.map(Effect.flip(disk.makeFolder(path, 0o750)), ({ code }) => code)
      assert.strictEqual(yield* codeOf(join(root, "file")), "EEXIST")
      assert.strictEqual(yield* codeOf(join(root, "file/below")), "ENOTDIR")
      assert.strictEqual(yield* codeOf("/proc/nothing"), "ENOENT")
      assert.strictEqual(yield* codeOf("/proc/nothing/below"), "ENOENT")
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("has a temporary folder in memory, where no disk is full", () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      assert.match(yield* disk.temporaryFolder("camera-disk-"), /^\/dev\/shm\/camera-disk-/u)
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("opens nothing through a link, and waits for no pipe's other end", () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      const folder = yield* disk.temporaryFolder("camera-disk-")
      yield* Effect.promise(() => symlink("/etc/hostname", join(folder, "link")))
      execFileSync("mkfifo", [join(folder, "pipe")])
      assert.strictEqual((yield* Effect.flip(disk.open(join(folder, "link")))).code, "ELOOP")
      assert.strictEqual((yield* disk.state(join(folder, "link"))).kind, "other")
      assert.strictEqual((yield* (yield* disk.open(join(folder, "pipe"))).state).kind, "other")
    }).pipe(Effect.provide(Disk.layer))
  )
})
