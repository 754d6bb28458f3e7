import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { indexed, jpeg, memoryGround, storage } from "./Workbench.ts"

const snapshots = "/data/snapshots"
const picture = { device: "camera1", bytes: jpeg, width: 1, height: 1, capturedAt: Date.UTC(2026, 0, 2, 3, 4, 5) }
const begun = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

/** A run of the service on the disk that is there, and what ends it. */
const started = Effect.gen(function* () {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const context = yield* Layer.buildWithScope(storage("/data"), scope)
  const index = Context.get(context, FileIndex)
  yield* index.reconcile
  return { files: Context.get(context, Files), index, stop: Scope.close(scope, Exit.void), ...(yield* MemoryDisk) }
})

describe("saving a snapshot", () => {
  for (const [where, fault] of [
    ["when it writes", { name: "hung", calls: ["create"] }],
    ["when the index is told", { name: "hung", calls: ["touch"] }]
  ] as const) {
    it.effect(`on a disk that hangs ${where} is told of after 5 s, and at once from then on until it answers`, () =>
      Effect.gen(function* () {
        const { files, index, outside, pending, suffer } = yield* started
        const { met, takeBack } = yield* suffer(fault)
        const save = (filename: string) => Effect.flip(files.saveSnapshot({ ...picture, filename }))
        const first = yield* begun(save("a.jpg"))
        yield* met
        yield* TestClock.adjust("4999 millis")
        assert.isUndefined(first.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const late = {
          dependency: "storage",
          detail: "cannot save the snapshot: the disk does not answer"
        } as const
        assert.deepInclude(yield* Fiber.join(first), late)
        assert.deepInclude(yield* save("b.jpg"), late)
        assert.strictEqual(pending(), 1)
        yield* takeBack
        yield* Effect.repeat(Effect.andThen(Effect.yieldNow, index.get("snapshot", "a.jpg")), {
          until: (kept) => kept !== undefined
        })
        yield* files.saveSnapshot({ ...picture, filename: "c.jpg" })
        assert.deepStrictEqual([...outside.names(snapshots)].sort(), ["a.jpg", "c.jpg"])
      }).pipe(Effect.provide(memoryGround))
    )
  }

  it.effect("is refused in time also by a disk that does not say whether there is one of its name", () =>
    Effect.gen(function* () {
      const { files, suffer } = yield* started
      const { met, takeBack } = yield* suffer({ name: "hung", calls: ["state"] })
      const asked = yield* begun(Effect.flip(files.admitName("a.jpg", undefined)))
      yield* met
      yield* TestClock.adjust("5 seconds")
      const detail = "cannot look for a snapshot: the disk does not answer"
      assert.deepInclude(yield* Fiber.join(asked), { dependency: "storage", detail })
      yield* takeBack
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("of many on a disk that answers, and syncs slowly, comes at the disk's pace", () =>
    Effect.gen(function* () {
      const { files, suffer } = yield* started
      yield* suffer({ name: "slow", by: "100 millis", calls: ["sync"] })
      const saves = Array.from({ length: 200 }, (_, i) =>
        Effect.result(files.saveSnapshot({ ...picture, bytes: jpeg.slice(), filename: `door${i}.jpg` }))
      )
      const all = yield* begun(Effect.all(saves, { concurrency: "unbounded" }))
      for (let second = 0; second < 40; second++) yield* TestClock.adjust("1 second")
      const failed = (yield* Fiber.join(all)).filter(({ _tag }) => _tag === "Failure")
      assert.deepStrictEqual(failed, [])
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("of many on a disk that does not sync is told of after 5 s, and each that is there is listed", () =>
    Effect.gen(function* () {
      const { files, index, outside, suffer } = yield* started
      yield* Effect.repeat(Effect.yieldNow, { until: () => index.state().state === "RUNNING" })
      const { takeBack } = yield* suffer({ name: "hung", calls: ["sync"] })
      const saves = Array.from({ length: 200 }, (_, i) =>
        Effect.result(files.saveSnapshot({ ...picture, bytes: jpeg.slice(), filename: `door${i}.jpg` }))
      )
      const all = yield* begun(Effect.all(saves, { concurrency: "unbounded" }))
      yield* TestClock.adjust("5 seconds")
      const failures = (yield* Fiber.join(all)).flatMap((saved) => (saved._tag === "Failure" ? [saved.failure] : []))
      assert.isNotEmpty(failures)
      const detail = "cannot save the snapshot: the disk does not answer"
      for (const failure of failures) assert.deepInclude(failure, { dependency: "storage", detail })
      for (const filename of outside.names(snapshots)) assert.isDefined(yield* index.get("snapshot", filename))
      yield* takeBack
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("of many on a disk that hangs holds no more of it than a few", () =>
    Effect.gen(function* () {
      const { files, pending, suffer } = yield* started
      const { takeBack } = yield* suffer({ name: "hung", calls: ["create"] })
      const saves = Array.from({ length: 64 }, (_, i) =>
        Effect.result(files.saveSnapshot({ ...picture, bytes: jpeg.slice(), filename: `door${i}.jpg` }))
      )
      const all = yield* begun(Effect.all(saves, { concurrency: "unbounded" }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(pending(), 8)
      yield* takeBack
      for (const saved of yield* Fiber.join(all)) assert.strictEqual(saved._tag, "Success")
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("is waited for by the service's end for as long, and told later harms no index", () =>
    Effect.gen(function* () {
      const { files, index, outside, stop, suffer } = yield* started
      yield* files.saveSnapshot({ ...picture, filename: "a.jpg" })
      const { met, takeBack } = yield* suffer({ name: "hung", calls: ["create"] })
      const saving = yield* begun(files.saveSnapshot({ ...picture, filename: "b.jpg" }))
      yield* met
      const interrupted = yield* begun(Fiber.interrupt(saving))
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(interrupted.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interrupted)
      yield* stop
      yield* takeBack
      yield* Effect.repeat(Effect.yieldNow, { until: () => outside.names("/data/snapshots").length === 2 })
      yield* index.put(indexed({ filename: "b.jpg" }))
      assert.isDefined(yield* (yield* started).index.get("snapshot", "a.jpg"))
    }).pipe(Effect.provide(memoryGround))
  )
})

describe("a disk that hangs", () => {
  const late = (doing: string) =>
    ({ dependency: "storage", detail: `cannot ${doing}: the disk does not answer` }) as const

  it.effect("when a file is deleted is told of after 5 s, and the file is gone when it answers again", () =>
    Effect.gen(function* () {
      const { files, index, outside, pending, suffer } = yield* started
      for (const filename of ["a.jpg", "b.jpg"]) yield* files.saveSnapshot({ ...picture, filename })
      const { met, takeBack } = yield* suffer({ name: "hung", calls: ["remove"] })
      const first = yield* begun(Effect.flip(files.delete("snapshot", "a.jpg")))
      yield* met
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* Fiber.join(first), late("delete the snapshot"))
      assert.deepInclude(yield* Effect.flip(files.takeAway("snapshot", "b.jpg")), late("delete the snapshot"))
      assert.strictEqual(pending(), 1)
      yield* takeBack
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, index.get("snapshot", "a.jpg")), {
        until: (kept) => kept === undefined
      })
      assert.deepStrictEqual(outside.names(snapshots), ["b.jpg"])
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, Effect.result(files.delete("snapshot", "b.jpg"))), {
        until: ({ _tag }) => _tag === "Success"
      })
      assert.deepStrictEqual(outside.names(snapshots), [])
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("when a file is opened is told of after 5 s, and of many who open one it keeps one call", () =>
    Effect.gen(function* () {
      const { files, pending, suffer } = yield* started
      yield* files.saveSnapshot({ ...picture, filename: "a.jpg" })
      const { met, takeBack } = yield* suffer({ name: "hung", calls: ["open"] })
      const open = Effect.scoped(Effect.flip(files.open("snapshot", "a.jpg")))
      const first = yield* begun(open)
      yield* met
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* Fiber.join(first), late("open the snapshot"))
      for (let more = 0; more < 40; more++) assert.deepInclude(yield* open, late("open the snapshot"))
      assert.strictEqual(pending(), 1)
      yield* takeBack
      const opened = Effect.scoped(Effect.map(files.open("snapshot", "a.jpg"), ({ bytes }) => bytes))
      const size = yield* Effect.repeat(Effect.andThen(Effect.yieldNow, Effect.option(opened)), {
        until: (bytes) => bytes._tag === "Some"
      })
      assert.isAbove(size._tag === "Some" ? size.value : 0, 0)
    }).pipe(Effect.provide(memoryGround))
  )
})
