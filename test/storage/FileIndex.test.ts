import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { markCamera } from "../../src/media/Picture.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import type { StoredFile } from "../../src/storage/IndexedFile.ts"
import { renewIndex } from "../../src/storage/IndexFile.ts"
import { fileName } from "../../src/storage/Names.ts"
import { DescribeRecording } from "../../src/storage/DescribeRecording.ts"
import { MemoryDatabases } from "../../testing/MemoryDatabases.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { listening } from "../support/Log.ts"
import { asVersion1 } from "./EarlierIndexes.ts"
import { indexed, jpeg, memoryGround, realGround, storage, temporaryFolder } from "./Workbench.ts"

const at = Date.UTC(2026, 0, 2, 3, 4, 5)
const noDevices = { devices: undefined }
const root = "/data"

/** Another program's file. */
const write = (path: string, bytes: string | Uint8Array) =>
  Effect.map(MemoryDisk, ({ outside }) => {
    outside.remove(path)
    outside.write(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes)
  })
const remove = (path: string) => Effect.map(MemoryDisk, ({ outside }) => outside.remove(path))
const onRealDisk = (path: string, bytes: string | Uint8Array) => Effect.promise(() => writeFile(path, bytes))

/** A run of the service on this folder, until the scope (or `stop`) ends it; it has looked through the folders. */
const started = Effect.fnUntraced(function* (folder: string) {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const context = yield* Layer.buildWithScope(storage(folder), scope)
  const index = Context.get(context, FileIndex)
  yield* Effect.repeat(Effect.yieldNow, { until: () => index.state().state !== "STARTING" })
  assert.deepStrictEqual(index.state(), { state: "RUNNING" })
  return { index, stop: Scope.close(scope, Exit.void) }
})

/** Files of three cameras, one a second, on disk and in the index. */
const many = Effect.fnUntraced(function* <R>(
  index: FileIndex["Service"],
  count: number,
  put: (path: string, bytes: string) => Effect.Effect<void, never, R>,
  folder = root
) {
  const files = Array.from({ length: count }, (_, i): StoredFile => {
    const modified = at + Math.floor(i / 2) * 1000 // two at a time have the same time
    return indexed({
      device: `camera${i % 3}`,
      filename: fileName(`camera${i % 3}`, at + i * 1000, "mp4"),
      modified,
      bytes: i + 1
    })
  })
  yield* Effect.forEach(files, (file) => put(join(folder, "recordings", file.filename), "x".repeat(file.bytes)))
  yield* Effect.forEach(files, index.put)
  return files.toSorted((a, b) => b.modified - a.modified || (a.filename < b.filename ? 1 : -1))
})

describe("the file index", () => {
  it.effect("lists newest first, every page of it, with the total", () =>
    Effect.gen(function* () {
      const { index } = yield* started(root)
      yield* index.reconcile
      const files = yield* many(index, 61, write)
      for (const devices of [undefined, ["camera1"], ["camera0", "camera2"], ["camera1", "camera9"], []]) {
        const expected = files.filter((file) => devices === undefined || devices.includes(file.device))
        for (const [limit, offset] of [
          [1, 0],
          [10, 0],
          [10, 7],
          [10, 29],
          [10, 35],
          [7, 55],
          [50, 60],
          [50, 61],
          [5, 1000]
        ] as const) {
          const page = yield* index.list("recording", { limit, offset, devices })
          assert.deepStrictEqual(page, { files: expected.slice(offset, offset + limit), total: expected.length })
        }
      }
      assert.deepStrictEqual(yield* index.list("snapshot", { limit: 5, offset: 0, ...noDevices }), {
        files: [],
        total: 0
      })
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("gives the oldest first, of all cameras and of one, of both kinds together, and those behind one", () =>
    Effect.gen(function* () {
      const { index } = yield* started(root)
      yield* index.reconcile
      const recordings = yield* many(index, 20, write)
      const picture = indexed({ kind: "snapshot", filename: "a.jpg", device: "camera1", modified: at + 3000, bytes: 7 })
      yield* index.put(picture)
      const all = [...recordings, picture].toSorted(
        (a, b) => a.modified - b.modified || (a.filename < b.filename ? -1 : 1)
      )
      for (const device of [undefined, "camera1"]) {
        for (const kinds of [["recording"], ["recording", "snapshot"]] as const) {
          const wanted = all.filter(
            (file) => (kinds as ReadonlyArray<string>).includes(file.kind) && (device ?? file.device) === file.device
          )
          const ask = (after: StoredFile | undefined, limit: number) => index.oldest({ kinds, device, after, limit })
          assert.deepStrictEqual(yield* ask(undefined, 5), wanted.slice(0, 5))
          assert.deepStrictEqual(yield* ask(wanted[2], 100), wanted.slice(3))
          assert.deepStrictEqual(yield* ask(wanted.at(-1), 100), [])
        }
      }
      const bytes = (device: string) =>
        recordings.reduce((sum, file) => sum + (file.device === device ? file.bytes : 0), 0)
      assert.deepStrictEqual(yield* index.stored, [
        { kind: "recording", device: "camera0", files: 7, bytes: bytes("camera0") },
        { kind: "recording", device: "camera1", files: 7, bytes: bytes("camera1") },
        { kind: "recording", device: "camera2", files: 6, bytes: bytes("camera2") },
        { kind: "snapshot", device: "camera1", files: 1, bytes: 7 }
      ])
    }).pipe(Effect.provide(memoryGround))
  )

  it("answers retention from its indexes alone, without a walk or a sort", () => {
    const plans: Array<string> = []
    const database = new DatabaseSync(":memory:")
    const spied = new Proxy(database, {
      get: (target, name) => {
        if (name === "prepare") {
          return (sql: string) => {
            const rows = target.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
            if (sql.includes("(modified, filename) >")) plans.push(rows.map(({ detail }) => detail).join("\n"))
            return target.prepare(sql)
          }
        }
        const value: unknown = Reflect.get(target, name)
        return typeof value === "function" ? value.bind(target) : value
      }
    })
    const index = renewIndex(
      {
        open: () => spied,
        openInMemory: () => spied,
        remove: () => undefined,
        copy: () => Promise.resolve(),
        keep: () => undefined,
        putBack: () => false,
        bootId: () => ""
      },
      ""
    )
    for (const device of [undefined, "camera0"]) {
      for (const kinds of [["recording"], ["recording", "snapshot"]] as const) {
        index.oldest({ kinds, device, after: undefined, limit: 100 })
      }
    }
    index.close()
    assert.lengthOf(plans, 4)
    for (const plan of plans) {
      assert.notMatch(plan, /SCAN (?!p\b)|TEMP B-TREE/, plan)
      assert.match(plan, /SEARCH files USING COVERING INDEX by_(time|device) \(kind=\?/, plan)
      assert.match(plan, /modified.*>/, plan)
    }
  })

  it.effect("counts files and bytes as they come, change and leave", () =>
    Effect.gen(function* () {
      const { index } = yield* started(root)
      yield* index.reconcile
      const file = indexed({ filename: "a.mp4", bytes: 10 })
      yield* index.put(file)
      yield* index.put(indexed({ filename: "b.mp4", bytes: 5, device: "camera1" }))
      assert.deepStrictEqual(yield* index.totals("recording"), { files: 2, bytes: 15 })
      yield* index.put({ ...file, bytes: 100, device: "camera1" })
      assert.deepStrictEqual(yield* index.totals("recording"), { files: 2, bytes: 105 })
      const ofCamera1 = yield* index.list("recording", { limit: 9, offset: 0, devices: ["camera1"] })
      assert.strictEqual(ofCamera1.total, 2)
      yield* index.remove("recording", "a.mp4")
      yield* index.remove("recording", "a.mp4")
      yield* index.remove("snapshot", "b.mp4")
      assert.deepStrictEqual(yield* index.totals("recording"), { files: 1, bytes: 5 })
      assert.isUndefined(yield* index.get("recording", "a.mp4"))
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("knows after a restart what it knew before", () =>
    Effect.gen(function* () {
      const first = yield* started(root)
      const [file] = yield* many(first.index, 1, write)
      yield* first.stop
      const { index } = yield* started(root)
      const known = yield* index.get("recording", file?.filename ?? "")
      assert.deepInclude(known, { device: "camera0", duration: 1.5, codec: "h264", width: 640 })
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("follows what was done to the folders while the service was away", () =>
    Effect.gen(function* () {
      const first = yield* started(root)
      yield* first.index.reconcile
      const [newest, second] = yield* many(first.index, 2, write)
      yield* first.stop
      const [gone, grown] = [newest?.filename ?? "", second?.filename ?? ""]
      yield* remove(join(root, "recordings", gone))
      yield* write(join(root, "recordings", grown), "x".repeat(1000))
      const came = fileName("camera5", at, "ts")
      yield* write(join(root, "recordings", came), "four")
      for (const other of [".hidden.mp4", "notes.txt", "who.mp4"]) yield* write(join(root, "recordings", other), "x")

      const { index } = yield* started(root)
      yield* index.reconcile
      assert.isUndefined(yield* index.get("recording", gone))
      assert.strictEqual((yield* index.get("recording", grown))?.bytes, 1000)
      const file = yield* index.get("recording", came)
      assert.deepInclude(file, { device: "camera5", bytes: 4, created: at })
      assert.deepStrictEqual(yield* index.totals("recording"), { files: 2, bytes: 1004 })
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("that is damaged, of another version or no index at all is made anew from the disk", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "index.sqlite")
      const filename = fileName("camera3", at, "mp4")
      const { layer, lines } = listening()
      const damaged = { level: "warning", message: "the file index is damaged: it is built anew from the disk" }
      const begun = { level: "info", message: "the file index is new: it is filled from the disk" }
      // one of a later version that says that it can be read is used as it is
      const words = [damaged, begun, begun, undefined, damaged]
      const damages = [
        onRealDisk(path, "this was an index once, and is a text now".repeat(100)),
        onRealDisk(path, ""),
        Effect.promise(() => rm(path)),
        Effect.sync(() => {
          const database = new DatabaseSync(path)
          database.exec("PRAGMA user_version=99")
          database.close()
        }),
        // after a power cut (another boot) half of the pages hold nonsense
        Effect.gen(function* () {
          const database = new DatabaseSync(path)
          database.exec("UPDATE meta SET value = 'another boot'; PRAGMA wal_checkpoint(TRUNCATE)")
          database.close()
          const bytes = yield* Effect.promise(() => readFile(path))
          for (let page = 2; page * 4096 < bytes.length; page++) bytes.fill(0x5a, page * 4096, page * 4096 + 600)
          yield* onRealDisk(path, bytes)
        })
      ]
      yield* (yield* started(folder)).stop
      yield* onRealDisk(join(folder, "recordings", filename), "x")
      for (const [i, damage] of damages.entries()) {
        yield* damage
        lines.length = 0
        const { index, stop } = yield* Effect.provide(started(folder), layer)
        const [first] = lines
        const told = first === undefined ? undefined : { level: first.level, message: first.message }
        assert.deepEqual(told, words[i])
        yield* index.reconcile
        const { files } = yield* index.list("recording", { limit: 9, offset: 0, ...noDevices })
        assert.deepStrictEqual(
          files.map((file) => [file.filename, file.device]),
          [[filename, "camera3"]]
        )
        yield* stop
      }
    }).pipe(Effect.provide(realGround))
  )

  it.effect(
    "of the version before keeps what it knows of recordings, and counts from then on what lies beside them",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const file = indexed({ filename: fileName("camera3", at, "mp4"), device: "camera3", bytes: 1, duration: 42 })
        const before = yield* started(folder)
        yield* onRealDisk(join(folder, "recordings", file.filename), "x")
        yield* before.index.put(file)
        yield* before.stop
        const database = new DatabaseSync(join(folder, "index.sqlite"))
        database.exec(asVersion1)
        database.close()
        yield* onRealDisk(join(folder, "recordings", `${file.filename}.klv.jsonl`), "four")
        const { index } = yield* started(folder)
        yield* index.reconcile
        assert.deepInclude(yield* index.get("recording", file.filename), { duration: 42, beside: 4 })
        assert.deepStrictEqual(yield* index.totals("recording"), { files: 1, bytes: 5 })
        yield* index.remove("recording", file.filename)
        assert.deepStrictEqual(yield* index.totals("recording"), { files: 0, bytes: 0 })
      }).pipe(Effect.provide(realGround))
  )

  it.effect("tells the camera of a snapshot whatever the client called it, also when it is made anew", () =>
    Effect.gen(function* () {
      const snapshots = join(root, "snapshots")
      const feigned = fileName("camera0", at, "jpg")
      yield* (yield* started(root)).stop
      yield* write(join(snapshots, "door.jpg"), markCamera(jpeg, "camera7"))
      yield* write(join(snapshots, feigned), markCamera(jpeg, "camera8"))
      yield* write(join(snapshots, fileName("camera9", at, "jpg")), jpeg)
      yield* write(join(snapshots, "stranger.jpg"), jpeg)
      const { index } = yield* started(root)
      const found = yield* index.reconcile
      assert.strictEqual(found.snapshot.unknown, 1)
      assert.deepInclude(yield* index.get("snapshot", "door.jpg"), { device: "camera7", width: 1, height: 1 })
      assert.strictEqual((yield* index.get("snapshot", feigned))?.device, "camera8")
      const { files, total } = yield* index.list("snapshot", { limit: 9, offset: 0, devices: ["camera9"] })
      assert.strictEqual(total, 1)
      assert.strictEqual(files[0]?.created, at)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("for which there was no room is made good when there is", () =>
    Effect.gen(function* () {
      const { full } = yield* MemoryDatabases
      const { index } = yield* started(root)
      yield* index.reconcile
      full(true)
      // it has room of its own for many
      const files = yield* many(index, 6000, write)
      assert.isBelow((yield* index.totals("recording")).files, files.length)
      full(false)
      yield* Effect.andThen(TestClock.adjust("10 seconds"), index.totals("recording")).pipe(
        Effect.repeat({ until: (now) => now.files === files.length })
      )
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("lists no picture that a power cut has left empty", () =>
    Effect.gen(function* () {
      const snapshots = join(root, "snapshots")
      const [never, listed] = [fileName("camera0", at, "jpg"), fileName("camera0", at + 1000, "jpg")]
      const first = yield* started(root)
      yield* write(join(snapshots, listed), "")
      yield* first.index.put(indexed({ kind: "snapshot", filename: listed, bytes: 1000 }))
      yield* first.stop
      yield* write(join(snapshots, never), "")
      const { index } = yield* started(root)
      yield* index.reconcile
      assert.strictEqual((yield* index.totals("snapshot")).files, 0)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("looks once into recordings it did not know, and goes on when one cannot be read", () =>
    Effect.gen(function* () {
      yield* (yield* started(root)).stop
      const [good, bad] = [fileName("camera0", at, "mp4"), fileName("camera0", at + 1000, "mp4")]
      yield* write(join(root, "recordings", good), "x")
      yield* write(join(root, "recordings", bad), "x")
      const looked: Array<string> = []
      const look = (path: string) => {
        looked.push(path)
        return path.endsWith(bad)
          ? Effect.fail("moov atom not found")
          : Effect.succeed({ duration: 12.5, codec: "h264", width: 1280, height: 720 })
      }
      const layer = storage(root).pipe(Layer.provide(Layer.succeed(DescribeRecording, look)))
      yield* Effect.gen(function* () {
        const index = yield* FileIndex
        yield* index.reconcile
        yield* index.reconcile
        assert.deepInclude(yield* index.get("recording", good), { duration: 12.5, codec: "h264", width: 1280 })
        assert.deepInclude(yield* index.get("recording", bad), { duration: 0, codec: "", bytes: 1 })
        assert.strictEqual(looked.length, 2)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("damaged while it runs is made anew, and answers", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { index, stop } = yield* started(folder)
      yield* index.reconcile
      yield* many(index, 300, onRealDisk, folder)
      // pages that are not in SQLite's cache any more are read again: a new run has none in it
      yield* stop
      const path = join(folder, "index.sqlite")
      const bytes = yield* Effect.promise(() => readFile(path))
      for (let page = 2; page * 4096 < bytes.length; page++) bytes.fill(0x5a, page * 4096, (page + 1) * 4096)
      yield* onRealDisk(path, bytes)
      const again = yield* started(folder)
      yield* again.index.reconcile
      const { total } = yield* again.index.list("recording", { limit: 1, offset: 0, ...noDevices })
      assert.strictEqual(total, 300)
    }).pipe(Effect.provide(realGround))
  )
})
