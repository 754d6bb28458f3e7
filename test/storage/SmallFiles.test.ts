import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { Disk } from "../../src/ground/Disk.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { memoryGround, realGround } from "./Workbench.ts"

const memory = SmallFiles.layer.pipe(Layer.provideMerge(memoryGround))
const real = SmallFiles.layer.pipe(Layer.provideMerge(realGround))
const places: Readonly<Record<string, Layer.Layer<Disk | SmallFiles>>> = {
  "in memory": memory,
  "on the real disk": real
}

const bench = Effect.gen(function* () {
  const disk = yield* Disk
  return { disk, smallFiles: yield* SmallFiles, folder: yield* disk.temporaryFolder("camera-storage-") }
})

/** The calls with what tells one run from another taken out. */
const plain = (calls: ReadonlyArray<string>, folder: string) =>
  calls.map((call) => call.replaceAll(folder, "").replaceAll(/\.tmp-[0-9a-f-]{36}/g, "aside"))

describe("a small file that must last", () => {
  for (const [place, layer] of Object.entries(places)) {
    it.effect(`is read as it was written, with nothing left beside it (${place})`, () =>
      Effect.gen(function* () {
        const { disk, folder, smallFiles } = yield* bench
        const path = join(folder, "keys.json")
        assert.isTrue(Option.isNone(yield* smallFiles.read(path)))
        yield* smallFiles.write(path, "one")
        yield* smallFiles.write(path, "two")
        assert.deepStrictEqual(yield* smallFiles.read(path), Option.some("two"))
        assert.strictEqual(yield* smallFiles.writeOnce(path, "three"), "two")
        assert.strictEqual(yield* smallFiles.writeOnce(join(folder, "secret"), "four"), "four")
        assert.deepStrictEqual((yield* disk.names(folder)).toSorted(), ["keys.json", "secret"])
      }).pipe(Effect.provide(layer))
    )

    it.effect(`is always one whole text when many write at once (${place})`, () =>
      Effect.gen(function* () {
        const { disk, folder, smallFiles } = yield* bench
        const path = join(folder, "policy.json")
        const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(1000))
        yield* Effect.forEach(texts, (text) => smallFiles.write(path, text, 0o640), { concurrency: "unbounded" })
        assert.include(texts, yield* disk.text(path))
      }).pipe(Effect.provide(layer))
    )

    it.effect(`that cannot be written fails as storage does, tells no path, and leaves nothing (${place})`, () =>
      Effect.gen(function* () {
        const { disk, folder, smallFiles } = yield* bench
        yield* disk.makeFolder(join(folder, "taken", "inside"), 0o750)
        const error = yield* Effect.flip(smallFiles.write(join(folder, "taken"), "text"))
        assert.strictEqual(error._tag, "DependencyFailed")
        assert.strictEqual(error.dependency, "storage")
        assert.notInclude(error.detail, folder)
        assert.deepStrictEqual(yield* disk.names(folder), ["taken"])
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("is for its owner only", () =>
    Effect.gen(function* () {
      const { folder, smallFiles } = yield* bench
      const path = join(folder, "keys.json")
      yield* smallFiles.write(path, "one")
      assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o777, 0o600)
    }).pipe(Effect.provide(real))
  )

  it.effect("is on the disk before it has its name, and its name before anything else goes", () =>
    Effect.gen(function* () {
      const { folder, smallFiles } = yield* bench
      const { calls: follow } = yield* MemoryDisk
      const calls = yield* follow
      yield* smallFiles.write(join(folder, "keys.json"), "one")
      const aside = ["create /aside", "append /aside", "sync /aside"]
      assert.deepStrictEqual(plain(calls, folder), [...aside, "rename /aside /keys.json", "sync "])
      const once = yield* follow
      yield* smallFiles.writeOnce(join(folder, "secret"), "two")
      assert.deepStrictEqual(plain(once, folder), [...aside, "link /aside /secret", "sync ", "remove /aside"])
      const again = yield* follow
      yield* smallFiles.writeOnce(join(folder, "secret"), "three")
      assert.deepStrictEqual(plain(again, folder), [])
    }).pipe(Effect.provide(memory))
  )

  it.effect("is made once on a disk without links, too", () =>
    Effect.gen(function* () {
      const { disk, folder, smallFiles } = yield* bench
      yield* (yield* MemoryDisk).suffer({ name: "no links" })
      const path = join(folder, "secret")
      const made = yield* Effect.forEach(["one", "two", "three"], (text) => smallFiles.writeOnce(path, text), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(made, ["one", "one", "one"])
      assert.deepStrictEqual(yield* disk.names(folder), ["secret"])
    }).pipe(Effect.provide(memory))
  )

  it.effect("that the disk did not sync is written anew; when that fails too, it says so and leaves the old one", () =>
    Effect.gen(function* () {
      const { disk, folder, smallFiles } = yield* bench
      const { calls: follow, suffer } = yield* MemoryDisk
      const path = join(folder, "keys.json")
      yield* smallFiles.write(path, "old")
      const calls = yield* follow
      yield* suffer({ name: "sync fails" })
      const error = yield* Effect.flip(smallFiles.write(path, "new"))
      assert.strictEqual(error.detail, "cannot write a settings file: the disk reports an error")
      const one = ["create /aside", "append /aside", "sync /aside", "remove /aside"]
      assert.deepStrictEqual(plain(calls, folder), [...one, ...one])
      assert.lengthOf(new Set(calls.filter((call) => call.startsWith("create"))), 2)
      assert.strictEqual(yield* disk.text(path), "old")
    }).pipe(Effect.provide(memory))
  )
})
