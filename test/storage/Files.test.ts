import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFileSync } from "node:child_process"
import { mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { fileName } from "../../src/storage/Names.ts"
import { markCamera } from "../../src/media/Picture.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { indexed, jpeg, memoryGround, storage, storageAt, temporaryFolder } from "./Workbench.ts"

const capturedAt = Date.UTC(2026, 0, 2, 3, 4, 5)
const picture = { device: "camera1", bytes: jpeg, width: 1, height: 1, capturedAt }
const promise = Effect.promise
const encode = (text: string) => new TextEncoder().encode(text)

/** Files on a disk; the walk at the start is over, so that only what a test does happens. */
const benchOn = Effect.fnUntraced(function* (root: string, layer: ReturnType<typeof storageAt>) {
  const context = yield* Layer.build(layer)
  const index = Context.get(context, FileIndex)
  yield* index.reconcile
  return { index, files: Context.get(context, Files), snapshots: join(root, "snapshots") }
})

const bench = Effect.gen(function* () {
  const ground = yield* Layer.build(memoryGround)
  const on = storage("/data").pipe(Layer.provideMerge(Layer.succeedContext(ground)))
  const { outside, ...memory } = Context.get(ground, MemoryDisk)
  return { ...(yield* benchOn("/data", on)), ...outside, ...memory }
})

/** What only a real disk has: links, pipes, and files that stay open. */
const realBench = Effect.gen(function* () {
  const root = yield* temporaryFolder
  return { root, ...(yield* benchOn(root, storageAt(root))) }
})

describe("saving a snapshot", () => {
  it.effect("keeps the picture's own bytes under a default name, and lists it", () =>
    Effect.gen(function* () {
      const { files, index, names, read, snapshots } = yield* bench
      const filename = fileName("camera1", capturedAt, "jpg")
      const saved = yield* files.saveSnapshot({ ...picture, filename })
      assert.deepStrictEqual(read(join(snapshots, filename)), jpeg)
      assert.deepInclude(saved, { bytes: jpeg.length, created: capturedAt, device: "camera1" })
      assert.deepInclude(yield* index.get("snapshot", filename), saved)
      assert.deepStrictEqual(names(snapshots), [filename])
    })
  )

  it.effect("writes the camera into a picture whose name tells none, or another", () =>
    Effect.gen(function* () {
      const { files, read, snapshots } = yield* bench
      for (const filename of ["door.jpg", fileName("camera0", capturedAt, "jpg")]) {
        const { bytes } = yield* files.saveSnapshot({ ...picture, filename })
        const stored = read(join(snapshots, filename))
        assert.deepStrictEqual(stored, markCamera(jpeg, "camera1"))
        assert.strictEqual(bytes, stored.length)
      }
    })
  )

  it.effect("never replaces a file: of twenty at once under one name, one is kept", () =>
    Effect.gen(function* () {
      const { files, names, read, snapshots } = yield* bench
      const attempts = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, i) => `camera${i}`),
        (device) => Effect.result(files.saveSnapshot({ ...picture, device, filename: "door.jpg" })),
        { concurrency: "unbounded" }
      )
      const kept = attempts.filter((attempt) => attempt._tag === "Success")
      assert.strictEqual(kept.length, 1)
      for (const attempt of attempts) {
        if (attempt._tag === "Failure") assert.deepInclude(attempt.failure, { _tag: "InvalidState", state: "TAKEN" })
      }
      const stored = read(join(snapshots, "door.jpg"))
      assert.deepStrictEqual(stored, markCamera(jpeg, kept[0]?.success.device ?? ""))
      assert.deepStrictEqual(names(snapshots), ["door.jpg"])
    })
  )

  it.effect("refuses names that lead elsewhere", () =>
    Effect.gen(function* () {
      const { files, root, snapshots } = yield* realBench
      for (const filename of ["../door.jpg", "a/b.jpg", "/door.jpg", ".door.jpg", "-door.jpg", "door\0.jpg", ""]) {
        const error = yield* Effect.flip(files.saveSnapshot({ ...picture, filename }))
        assert.strictEqual(error._tag, "InvalidParams")
      }
      assert.deepStrictEqual(yield* promise(() => readdir(snapshots)), [])
      assert.notInclude(yield* promise(() => readdir(root)), "door.jpg")
    })
  )

  it.effect("of the same picture again is one more name of it, and each name is deleted for itself", () =>
    Effect.gen(function* () {
      const { calls: follow, files, names, read, snapshots } = yield* bench
      const calls = yield* follow
      const filenames = Array.from({ length: 20 }, (_, i) => fileName("camera1", capturedAt + i, "jpg"))
      yield* Effect.forEach(filenames, (filename) => files.saveSnapshot({ ...picture, filename }), {
        concurrency: "unbounded"
      })
      assert.lengthOf(
        calls.filter((call) => call.startsWith("append")),
        1
      )
      assert.sameMembers([...names(snapshots)], filenames)
      const [first = "", ...others] = filenames
      yield* files.delete("snapshot", first)
      assert.sameMembers([...names(snapshots)], others)
      for (const filename of others) assert.deepStrictEqual(read(join(snapshots, filename)), jpeg)
      yield* files.saveSnapshot({ ...picture, filename: first })
      assert.deepStrictEqual(read(join(snapshots, first)), jpeg)
    })
  )

  it.effect("of the same picture is tried anew by who comes after one for whom there was no room", () =>
    Effect.gen(function* () {
      const { files, names, snapshots, suffer } = yield* bench
      const { takeBack } = yield* suffer({ name: "full", freeBytes: 10 })
      const filename = fileName("camera1", capturedAt, "jpg")
      yield* Effect.flip(files.saveSnapshot({ ...picture, filename }))
      yield* takeBack
      yield* files.saveSnapshot({ ...picture, filename })
      assert.deepStrictEqual(names(snapshots), [filename])
    })
  )

  it.effect("on a full disk says so, and leaves neither a piece nor an entry", () =>
    Effect.gen(function* () {
      const { files, index, names, snapshots, suffer } = yield* bench
      yield* suffer({ name: "full", freeBytes: 10 })
      const error = yield* Effect.flip(files.saveSnapshot({ ...picture, filename: "door.jpg" }))
      assert.deepInclude(error, {
        _tag: "DependencyFailed",
        dependency: "storage",
        detail: "cannot save the snapshot: no space is left on the disk"
      })
      assert.deepStrictEqual(names(snapshots), [])
      assert.strictEqual((yield* index.totals("snapshot")).files, 0)
    })
  )

  it.effect("leaves the sync for later, and gives up what the disk does not sync", () =>
    Effect.gen(function* () {
      const { calls: follow, files, snapshots, suffer } = yield* bench
      const calls = yield* follow
      const { met, takeBack } = yield* suffer({ name: "hung", calls: ["sync"] })
      yield* suffer({ name: "sync fails" })
      yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
      yield* met
      yield* takeBack
      yield* files.saveSnapshot({ ...picture, filename: "gate.jpg" })
      yield* Effect.repeat(Effect.yieldNow, {
        until: () => calls.filter((call) => call.startsWith("sync")).length === 2
      })
      const synced = calls.filter((call) => call.startsWith("sync"))
      assert.lengthOf(new Set(synced), 2)
      assert.isTrue(synced.every((call) => call.startsWith(`sync ${snapshots}/.tmp-`)))
    })
  )

  it.effect("on a disk without links keeps it whole, replaces none, and never takes a name by an empty file", () =>
    Effect.gen(function* () {
      const { calls: follow, files, names, read, snapshots, suffer } = yield* bench
      yield* suffer({ name: "no links" })
      const calls = yield* follow
      const filename = fileName("camera0", 0, "jpg")
      const saved = yield* Effect.forEach(
        Array.from({ length: 5 }, (_, i) => jpeg.slice(i)),
        (bytes) => Effect.result(files.saveSnapshot({ ...picture, device: "camera0", bytes, filename })),
        { concurrency: "unbounded" }
      )
      const [kept, ...others] = saved
      assert.strictEqual(kept?._tag, "Success")
      for (const other of others)
        assert.deepInclude(other._tag === "Failure" ? other.failure : {}, { _tag: "InvalidState", state: "TAKEN" })
      assert.deepStrictEqual(names(snapshots), [filename])
      assert.deepStrictEqual(read(`${snapshots}/${filename}`), jpeg)
      assert.isFalse(calls.includes(`create ${snapshots}/${filename}`))
    })
  )

  it.effect("holds no file open once the service has ended", () =>
    Effect.gen(function* () {
      const openIn = async (folder: string) => {
        const links = await readdir("/proc/self/fd")
        const targets = await Promise.all(links.map((fd) => promiseOr(readlink(`/proc/self/fd/${fd}`))))
        return targets.filter((target) => target.startsWith(folder))
      }
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const files = yield* Files
        for (let i = 0; i < 200; i++) yield* files.saveSnapshot({ ...picture, filename: `door${i}.jpg` })
      }).pipe(Effect.provide(storageAt(root)))
      assert.deepStrictEqual(yield* promise(() => openIn(root)), [])
    })
  )
})

const promiseOr = async (target: Promise<string>) => {
  try {
    return await target
  } catch {
    return ""
  }
}

describe("deleting", () => {
  it.effect("removes the file and its entry, once", () =>
    Effect.gen(function* () {
      const { files, index, names, snapshots } = yield* bench
      yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
      assert.strictEqual((yield* files.delete("snapshot", "door.jpg")).device, "camera1")
      assert.deepStrictEqual(names(snapshots), [])
      assert.isUndefined(yield* index.get("snapshot", "door.jpg"))
      const error = yield* Effect.flip(files.delete("snapshot", "door.jpg"))
      assert.deepInclude(error, { _tag: "NotFound", resource: "snapshot", id: "door.jpg" })
    })
  )

  it.effect("touches nothing that the index does not list", () =>
    Effect.gen(function* () {
      const { files, root, snapshots } = yield* realBench
      yield* promise(() => writeFile(join(snapshots, "unlisted.jpg"), jpeg))
      yield* promise(() => writeFile(join(root, "secrets", "key"), "secret"))
      for (const name of ["unlisted.jpg", "../secrets/key", "/etc/hostname", "..", "", ".", "a\0"]) {
        assert.strictEqual((yield* Effect.flip(files.delete("snapshot", name)))._tag, "NotFound")
      }
      assert.strictEqual(yield* promise(() => readFile(join(root, "secrets", "key"), "utf8")), "secret")
      assert.isTrue((yield* promise(() => stat(join(snapshots, "unlisted.jpg")))).isFile())
    })
  )

  it.effect("does not follow a link that took a file's place", () =>
    Effect.gen(function* () {
      const { files, root, snapshots } = yield* realBench
      const secret = join(root, "secrets", "key")
      yield* promise(() => writeFile(secret, "secret"))
      yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
      yield* promise(() => rm(join(snapshots, "door.jpg")))
      yield* promise(() => symlink(secret, join(snapshots, "door.jpg")))
      assert.strictEqual((yield* Effect.flip(files.delete("snapshot", "door.jpg")))._tag, "NotFound")
      assert.strictEqual(yield* promise(() => readFile(secret, "utf8")), "secret")
    })
  )
})

describe("opening", () => {
  it.effect("gives the bytes that were there, also while the file grows", () =>
    Effect.gen(function* () {
      const { files, index, write } = yield* bench
      write("/data/recordings/a.mp4", encode("first"))
      yield* index.put(indexed({ filename: "a.mp4" }))
      const opened = yield* files.open("recording", "a.mp4")
      write("/data/recordings/a.mp4", encode(" and more"))
      assert.strictEqual(opened.bytes, 5)
    })
  )

  it.effect("follows no link, waits for no pipe, and reads no folder", () =>
    Effect.gen(function* () {
      const { files, index, root } = yield* realBench
      const recordings = join(root, "recordings")
      yield* promise(() => writeFile(join(root, "secrets", "key"), "secret"))
      yield* promise(() => symlink(join(root, "secrets", "key"), join(recordings, "link.mp4")))
      yield* promise(() => mkdir(join(recordings, "folder.mp4")))
      execFileSync("mkfifo", [join(recordings, "pipe.mp4")])
      for (const filename of ["link.mp4", "folder.mp4", "pipe.mp4", "missing.mp4"]) {
        yield* index.put(indexed({ filename }))
        const error = yield* Effect.flip(Effect.scoped(files.open("recording", filename)))
        assert.strictEqual(error._tag, "NotFound", filename)
      }
    })
  )
})

describe("a snapshot that replaces another one", () => {
  const anyones = () => true
  const newer = { ...picture, device: "camera2", bytes: encode("a newer picture"), capturedAt: capturedAt + 1000 }

  it.effect("has its name and its entry, and who reads the old one reads it to the end", () =>
    Effect.gen(function* () {
      const { files, index, names, read, snapshots } = yield* bench
      const filename = fileName("camera2", capturedAt, "jpg")
      const old = yield* files.saveSnapshot({ ...picture, filename })
      const reading = yield* files.open("snapshot", filename)
      const saved = yield* files.saveSnapshot({ ...newer, filename }, anyones)
      assert.deepInclude(yield* index.get("snapshot", filename), saved)
      assert.deepInclude(saved, { device: "camera2", bytes: newer.bytes.length, created: newer.capturedAt })
      assert.deepStrictEqual(read(join(snapshots, filename)), newer.bytes)
      assert.deepStrictEqual(names(snapshots), [filename])
      assert.deepStrictEqual(yield* reading.read(0, old.bytes), markCamera(jpeg, "camera1"))
    })
  )

  it.effect("is saved also where there is none to replace", () =>
    Effect.gen(function* () {
      const { files, names, snapshots } = yield* bench
      yield* files.admitName("door.jpg", anyones)
      yield* files.saveSnapshot({ ...picture, filename: "door.jpg" }, anyones)
      assert.deepStrictEqual(names(snapshots), ["door.jpg"])
    })
  )

  for (const fault of [{ name: "full", freeBytes: 10 }, { name: "sync fails" }, { name: "no renames" }] as const) {
    it.effect(`leaves the old one and its entry where it cannot be written: ${fault.name}`, () =>
      Effect.gen(function* () {
        const { files, index, names, read, snapshots, suffer } = yield* bench
        const old = yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
        yield* suffer(fault)
        const failure = yield* Effect.flip(files.saveSnapshot({ ...newer, filename: "door.jpg" }, anyones))
        assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "storage" })
        assert.deepStrictEqual(names(snapshots), ["door.jpg"])
        assert.deepStrictEqual(read(join(snapshots, "door.jpg")), markCamera(jpeg, "camera1"))
        assert.deepInclude(yield* index.get("snapshot", "door.jpg"), old)
      })
    )
  }

  it.effect("never replaces one that it may not, that the index does not know, or that is no file", () =>
    Effect.gen(function* () {
      const { files, snapshots } = yield* realBench
      yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
      yield* promise(() => writeFile(join(snapshots, "strange.jpg"), "strange"))
      yield* promise(() => symlink("/etc/hostname", join(snapshots, "link.jpg")))
      for (const filename of ["door.jpg", "strange.jpg", "link.jpg"]) {
        const replaces = (owner: string) => owner !== "camera1"
        const answers = [
          yield* Effect.flip(files.admitName(filename, replaces)),
          yield* Effect.flip(files.saveSnapshot({ ...newer, filename }, replaces))
        ]
        for (const answer of answers) {
          assert.deepInclude(answer, { _tag: "InvalidState", state: "TAKEN" })
          assert.notInclude(JSON.stringify(answer), "camera1")
        }
      }
      assert.strictEqual(yield* promise(() => readFile(join(snapshots, "strange.jpg"), "utf8")), "strange")
    })
  )

  it.effect("is what all of them agree on, of twenty at once and a delete", () =>
    Effect.gen(function* () {
      const { files, index, names, read, snapshots } = yield* bench
      yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
      const save = (device: string) => files.saveSnapshot({ ...picture, device, filename: "door.jpg" }, anyones)
      const saves = Array.from({ length: 20 }, (_, i) => save(`camera${i}`))
      yield* Effect.all([...saves, files.delete("snapshot", "door.jpg"), ...saves], { concurrency: "unbounded" })
      const { device = "" } = (yield* index.get("snapshot", "door.jpg")) ?? {}
      assert.deepStrictEqual(names(snapshots), ["door.jpg"])
      assert.deepStrictEqual(read(join(snapshots, "door.jpg")), markCamera(jpeg, device))
    })
  )

  it.effect("is not taken for the one that it replaced, or that was deleted, by who saves that again", () =>
    Effect.gen(function* () {
      const { files, read, snapshots } = yield* bench
      const [first, second, third] = [0, 1, 2].map((i) => fileName("camera1", capturedAt + i, "jpg")) as [
        string,
        string,
        string
      ]
      yield* files.saveSnapshot({ ...picture, filename: first })
      yield* files.saveSnapshot({ ...newer, filename: first }, anyones)
      yield* files.saveSnapshot({ ...picture, filename: second })
      assert.deepStrictEqual(read(join(snapshots, second)), jpeg)
      yield* files.delete("snapshot", first)
      yield* files.saveSnapshot({ ...newer, filename: first })
      yield* files.saveSnapshot({ ...picture, filename: third })
      assert.deepStrictEqual(read(join(snapshots, third)), jpeg)
    })
  )
})
