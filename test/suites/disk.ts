import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { Disk } from "../../src/ground/Disk.ts"
import type { DiskError } from "../../src/ground/DiskError.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const codeOf = <A, R>(call: Effect.Effect<A, DiskError, R>) => Effect.map(Effect.flip(call), ({ code }) => code)

const written = Effect.fnUntraced(function* (path: string, text: string) {
  const disk = yield* Disk
  yield* Effect.scoped(Effect.flatMap(disk.create(path, 0o640), (file) => file.append(encode(text))))
})

/** What every disk does; each test has a folder of its own. */
export const diskSuite = (layer: Layer.Layer<Disk>): void => {
  const test = <E>(
    name: string,
    body: (root: string, disk: Disk["Service"]) => Effect.Effect<void, E, Disk | Scope.Scope>
  ) =>
    it.live(name, () =>
      Effect.gen(function* () {
        const disk = yield* Disk
        const root = yield* Effect.flatMap(disk.temporaryFolder("camera-disk-"), disk.realPath)
        yield* body(root, disk)
      }).pipe(Effect.provide(layer))
    )

  test("keeps what is appended, and reads any part of it", (root, disk) =>
    Effect.gen(function* () {
      const path = join(root, "a")
      const made = yield* disk.create(path, 0o640)
      yield* made.append(encode("0123"))
      const opened = yield* disk.open(path)
      yield* made.append(encode("456789"))
      yield* made.sync
      assert.strictEqual(yield* disk.text(path), "0123456789")
      assert.strictEqual(decode(yield* opened.read(2, 3)), "234")
      assert.strictEqual(decode(yield* opened.read(8, 100)), "89")
      assert.lengthOf(yield* opened.read(10, 1), 0)
      assert.deepInclude(yield* opened.state, { kind: "file", bytes: 10 })
      assert.deepInclude(yield* disk.state(path), { kind: "file", bytes: 10 })
      assert.deepInclude(yield* disk.state(root), { kind: "folder" })
    }))

  test("copies a file with its mode, over another one, too", (root, disk) =>
    Effect.gen(function* () {
      const [from, to] = [join(root, "from"), join(root, "to")]
      yield* written(from, "new")
      yield* disk.setMode(from, 0o600)
      for (const _ of ["a new file", "over it"]) {
        yield* disk.copy(from, to)
        assert.strictEqual(yield* disk.text(to), "new")
        assert.strictEqual((yield* disk.rights(to)).mode, 0o600)
        yield* written(join(root, "old"), "older")
        yield* disk.rename(join(root, "old"), to)
      }
      assert.strictEqual(yield* codeOf(disk.copy(join(root, "missing"), to)), "ENOENT")
    }))

  test("has what it is to touch be changed now, and nothing where there is nothing", (root, disk) =>
    Effect.gen(function* () {
      const path = join(root, "a")
      yield* written(path, "text")
      const { modified } = yield* disk.state(path)
      yield* Effect.sleep("5 millis")
      yield* disk.touch(path)
      const touched = yield* disk.state(path)
      assert.isAbove(touched.modified, modified)
      assert.strictEqual(touched.bytes, 4)
      yield* disk.touch(join(root, "missing"))
      assert.deepStrictEqual(yield* disk.names(root), ["a"])
    }))

  test("says what is not there, is there already, or is something else", (root, disk) =>
    Effect.gen(function* () {
      const [file, folder, missing] = [join(root, "file"), join(root, "folder"), join(root, "missing")]
      yield* written(file, "text")
      yield* disk.makeFolder(folder, 0o750)
      assert.strictEqual(yield* codeOf(disk.create(file, 0o640)), "EEXIST")
      assert.strictEqual(yield* codeOf(disk.makeFolder(file, 0o750)), "EEXIST")
      assert.strictEqual(yield* codeOf(disk.link(file, folder)), "EEXIST")
      for (const call of [
        disk.open(missing),
        disk.text(missing),
        disk.state(missing),
        disk.realPath(missing),
        disk.names(missing),
        disk.walk(missing),
        disk.rename(missing, file),
        disk.link(missing, join(root, "b")),
        disk.remove(missing),
        disk.setMode(missing, 0o600),
        disk.mayWrite(missing),
        disk.sync(missing),
        disk.watch(missing),
        disk.create(join(missing, "a"), 0o640),
        disk.rename(file, join(missing, "a"))
      ])
        assert.strictEqual(yield* codeOf<unknown, Scope.Scope>(call), "ENOENT")
      for (const call of [disk.names(file), disk.state(join(file, "a")), disk.makeFolder(join(file, "a"), 0o750)])
        assert.strictEqual(yield* codeOf<unknown, never>(call), "ENOTDIR")
      assert.strictEqual(yield* codeOf(disk.text(folder)), "EISDIR")
      assert.strictEqual(yield* codeOf(disk.remove(folder)), "EISDIR")
      assert.strictEqual(yield* codeOf(disk.rename(file, folder)), "EISDIR")
      assert.strictEqual(yield* codeOf(disk.rename(folder, file)), "ENOTDIR")
    }))

  test("says how much of it is used", (root, disk) =>
    Effect.gen(function* () {
      const before = yield* disk.space(root)
      assert.isAtMost(before.used + before.available, before.total)
      yield* written(join(root, "file"), "text")
      assert.deepInclude(yield* disk.space(root), { total: before.total, fileSystem: before.fileSystem })
      assert.strictEqual(yield* codeOf(disk.space(join(root, "missing"))), "ENOENT")
    }))

  test("renames over what is there, and whoever has that open keeps it", (root, disk) =>
    Effect.gen(function* () {
      const [from, to] = [join(root, "new"), join(root, "old")]
      yield* written(to, "old")
      yield* written(from, "new")
      const opened = yield* disk.open(to)
      yield* disk.rename(from, to)
      yield* disk.sync(root)
      assert.deepStrictEqual(yield* disk.names(root), ["old"])
      assert.strictEqual(yield* disk.text(to), "new")
      assert.strictEqual(decode(yield* opened.read(0, 10)), "old")
    }))

  test("gives a file a second name, and it lives as long as one of them", (root, disk) =>
    Effect.gen(function* () {
      const [one, other] = [join(root, "one"), join(root, "other")]
      const file = yield* disk.create(one, 0o640)
      yield* disk.link(one, other)
      yield* file.append(encode("text"))
      yield* disk.remove(one)
      assert.strictEqual(yield* disk.text(other), "text")
      yield* disk.remove(other)
      yield* file.append(encode("more"))
      assert.strictEqual((yield* file.state).bytes, 8)
      assert.deepStrictEqual(yield* disk.names(root), [])
    }))

  test("looks at many at once, in their order", (root, disk) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 45 }, (_, i) => `file${i}`)
      yield* Effect.forEach(names, (name, i) => written(join(root, name), "x".repeat(i)))
      const states = yield* disk.states(root, ["missing", ...names])
      assert.deepStrictEqual(
        states.map((state) => state?.bytes),
        [undefined, ...names.map((_, i) => i)]
      )
    }))

  test("walks over every file, some at a time, and over no folder", (root, disk) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 250 }, (_, i) => `file${i}`)
      yield* Effect.forEach(names, (name) => written(join(root, name), ""))
      yield* disk.makeFolder(join(root, "folder"), 0o750)
      const next = yield* disk.walk(root)
      const found: Array<string> = []
      for (let some = yield* next; some.length > 0; some = yield* next) {
        assert.isAtMost(some.length, 100)
        found.push(...some)
      }
      assert.deepStrictEqual(found.toSorted(), names.toSorted())
    }))

  test("makes folders above the folder, and removes all that is in one", (root, disk) =>
    Effect.gen(function* () {
      const deep = join(root, "a", "b", "c")
      yield* disk.makeFolder(deep, 0o750)
      yield* disk.makeFolder(deep, 0o750)
      yield* disk.mayWrite(deep)
      yield* written(join(deep, "file"), "text")
      yield* disk.removeAll(join(root, "a"))
      yield* disk.removeAll(join(root, "a"))
      assert.deepStrictEqual(yield* disk.names(root), [])
    }))

  test("tells the names of what appears, grows, is renamed and vanishes", (root, disk) =>
    Effect.gen(function* () {
      const names = yield* disk.watch(root)
      const told = Effect.fnUntraced(function* (wanted: string) {
        while ((yield* Queue.take(names)) !== wanted);
      })
      const file = yield* disk.create(join(root, "came"), 0o640)
      yield* told("came")
      yield* file.append(encode("text"))
      yield* told("came")
      yield* disk.rename(join(root, "came"), join(root, "renamed"))
      yield* told("came")
      yield* told("renamed")
      yield* file.append(encode("text"))
      yield* told("renamed")
      yield* disk.link(join(root, "renamed"), join(root, "linked"))
      yield* told("linked")
      yield* disk.remove(join(root, "linked"))
      yield* told("linked")
    }))

  test("locks for one at a time", (root, disk) =>
    Effect.gen(function* () {
      const path = join(root, "lock")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* disk.lock(path)
          assert.strictEqual(yield* codeOf(disk.lock(path)), "EBUSY")
        })
      )
      yield* disk.lock(path)
    }))

  test("has temporary folders that go with their scope", (_root, disk) =>
    Effect.gen(function* () {
      const folder = yield* Effect.scoped(
        Effect.gen(function* () {
          const one = yield* disk.temporaryFolder("camera-")
          assert.notStrictEqual(yield* disk.temporaryFolder("camera-"), one)
          yield* written(join(one, "file"), "text")
          return one
        })
      )
      assert.strictEqual(yield* codeOf(disk.state(folder)), "ENOENT")
    }))
}
