import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { chown, mkdir, rm, stat, symlink, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
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

  it.live("sweeps out what a process that was killed has left in memory, and nothing of one that lives", () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      const mine = yield* disk.temporaryFolder("camera-disk-")
      const [, space = ""] = /^camera-disk-(\d+)-\d+-\w{6}$/.exec(basename(mine)) ?? []
      const { pid: killed = 0 } = spawnSync("true")
      const left = (name: string) =>
        Effect.acquireRelease(
          Effect.as(disk.makeFolder(join("/dev/shm", name, "below"), 0o700), join("/dev/shm", name)),
          (path) => Effect.ignore(disk.removeAll(path))
        )
      const ofKilled = yield* left(`camera-disk-${space}-${killed}-abcDEF`)
      const stays = [
        mine,
        yield* left(`camera-disk-${space}-${process.ppid}-abcDEF`),
        // of another container that shares the place: its processes have other numbers
        yield* left(`camera-disk-1${space}-${killed}-abcDEF`),
        yield* left(`camera-disk-other-${space}-${killed}-abcDEF`)
      ]
      yield* disk.temporaryFolder("camera-disk-")
      assert.isFalse(existsSync(ofKilled))
      for (const path of stays) assert.isTrue(existsSync(path), path)
    }).pipe(Effect.provide(Disk.layer))
  )

  it.live("sweeps out no link, no file and nothing of another user, all of which anybody may put there", () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      const mine = yield* disk.temporaryFolder("camera-disk-")
      const [space = ""] = /^camera-disk-\d+-/.exec(basename(mine)) ?? []
      const { pid: killed = 0 } = spawnSync("true")
      const planted = (end: string, plant: (path: string) => Promise<void>) => {
        const path = join("/dev/shm", `${space}${killed}-${end}`)
        return Effect.acquireRelease(
          Effect.as(
            Effect.promise(() => plant(path)),
            path
          ),
          () => Effect.promise(() => rm(path, { recursive: true, force: true }))
        )
      }
      const stays = [
        yield* planted("linkAA", (path) => symlink(mine, path)),
        yield* planted("fileAA", (path) => writeFile(path, ""))
      ]
      // only root gives folders away
      if (process.getuid?.() === 0) {
        stays.push(
          yield* planted("otherA", async (path) => {
            await mkdir(path)
            await chown(path, 65_534, 65_534)
          })
        )
      }
      const goes = yield* planted("zzzzzz", (path) => mkdir(path))
      yield* disk.temporaryFolder("camera-disk-")
      assert.isFalse(existsSync(goes))
      const left = readdirSync("/dev/shm")
      for (const path of [mine, ...stays]) assert.include(left, basename(path))
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
