import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { DescribeRecording } from "../../src/storage/DescribeRecording.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import type { IndexedFile } from "../../src/storage/IndexedFile.ts"
import { fileName } from "../../src/storage/Names.ts"
import { MemoryDatabases } from "../../testing/MemoryDatabases.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { listening } from "../support/Log.ts"
import { indexed, memoryGround, storage } from "./Workbench.ts"

const root = "/data"
const filename = fileName("camera0", Date.UTC(2026, 0, 2), "mp4")
const file = indexed({ filename, duration: 42 })

/** A run of the service with a file that the index is not told of yet, brought to what the folders hold. */
const started = Effect.gen(function* () {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const index = Context.get(yield* Layer.buildWithScope(storage(root), scope), FileIndex)
  yield* index.reconcile
  const disk = yield* MemoryDisk
  disk.outside.write(join(root, "recordings", filename), new Uint8Array(file.bytes))
  const told = Effect.map(index.get("recording", filename), (known) => known?.duration)
  return { disk, index, suffer: disk.suffer, told, stop: Scope.close(scope, Exit.void) }
})

const begun = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })
/** Until it was made good. */
const runs = Effect.fnUntraced(function* (index: FileIndex["Service"]) {
  const waited = Effect.as(TestClock.adjust("10 seconds"), undefined)
  yield* Effect.repeat(waited, { until: () => index.state().state === "RUNNING", times: 500 })
  assert.strictEqual(index.state().state, "RUNNING")
})
const hung = { name: "hung", calls: ["touch"] } as const

describe("the file index on a disk that is slow to write", () => {
  it.effect("answers meanwhile, and is told when the disk has taken it", () =>
    Effect.gen(function* () {
      const { index, suffer, told } = yield* started
      const { met, takeBack } = yield* suffer(hung)
      const put = yield* begun(index.put(file))
      yield* met
      assert.isUndefined(yield* told)
      yield* takeBack
      yield* Fiber.join(put)
      assert.strictEqual(yield* told, 42)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("has all who come meanwhile wait for the same, in their order", () =>
    Effect.gen(function* () {
      const { disk, index, suffer, told } = yield* started
      const { met, takeBack } = yield* suffer(hung)
      const puts = [1, 2, 3].map((duration) => index.put({ ...file, duration }))
      const all = yield* Effect.forEach([...puts, index.remove("recording", filename), index.put(file)], begun)
      yield* met
      assert.strictEqual(disk.pending(), 1)
      yield* takeBack
      yield* Fiber.joinAll(all)
      assert.strictEqual(yield* told, 42)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("is told also by who is interrupted while it waits", () =>
    Effect.gen(function* () {
      const { index, suffer, told } = yield* started
      const { met, takeBack } = yield* suffer(hung)
      const put = yield* begun(index.put(file))
      yield* met
      const interrupted = yield* begun(Fiber.interrupt(put))
      yield* takeBack
      yield* Fiber.join(interrupted)
      assert.strictEqual(yield* told, 42)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("keeps what it is told of a recording while somebody looks into it", () =>
    Effect.gen(function* () {
      const [looking, seen] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const look = Effect.andThen(Deferred.succeed(looking, undefined), Deferred.await(seen)).pipe(
        Effect.as({ duration: 1, codec: "h264", width: 1, height: 1 })
      )
      const { index, told } = yield* started.pipe(Effect.provideService(DescribeRecording, () => look))
      yield* index.look([filename])
      const described = yield* begun(index.look([filename]))
      yield* Deferred.await(looking)
      yield* index.put(file)
      yield* Deferred.succeed(seen, undefined)
      yield* Fiber.join(described)
      assert.strictEqual(yield* told, 42)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("ends when what it was told before is written", () =>
    Effect.gen(function* () {
      const { index, stop, suffer } = yield* started
      const { met, takeBack } = yield* suffer(hung)
      const put = yield* begun(index.put(file))
      yield* met
      const end = yield* begun(stop)
      yield* Effect.yieldNow
      assert.isUndefined(end.pollUnsafe())
      yield* takeBack
      yield* Fiber.joinAll([put, end])
      assert.strictEqual(yield* (yield* started).told, 42)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect(
    "says after 10 s that the disk does not answer, keeps nobody from then on, and is made good when it does",
    () =>
      Effect.gen(function* () {
        const { index, suffer, told } = yield* started
        const { met, takeBack } = yield* suffer(hung)
        const put = yield* begun(index.put(file))
        yield* met
        yield* TestClock.adjust("9999 millis")
        assert.isUndefined(put.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(put)
        const { detail, state } = index.state()
        assert.deepStrictEqual([state, detail], ["ERROR", "cannot use the index: the disk does not answer"])
        const later: IndexedFile = { ...file, filename: fileName("camera1", Date.UTC(2026, 0, 2), "mp4") }
        yield* index.put(later)
        yield* takeBack
        yield* Effect.andThen(TestClock.adjust("10 seconds"), told).pipe(
          Effect.repeat({ until: (known) => known !== undefined })
        )
      }).pipe(Effect.provide(memoryGround))
  )

  it.effect("lets those who came later go with the one who came first", () =>
    Effect.gen(function* () {
      const { index, suffer } = yield* started
      const { met } = yield* suffer(hung)
      const first = yield* begun(index.put(file))
      yield* met
      yield* TestClock.adjust("9 seconds")
      const later = yield* begun(index.put(file))
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.joinAll([first, later])
      yield* index.put(file)
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("fails until the disk answers, also where there is nothing to make good, and says so each time", () => {
    const { layer, lines } = listening()
    return Effect.gen(function* () {
      const { index, suffer } = yield* started
      yield* index.look([filename])
      yield* runs(index)
      const known = yield* index.get("recording", filename)
      if (known === undefined) return assert.fail("it does not know the file")
      for (const _ of [1, 2]) {
        const { met, takeBack } = yield* suffer(hung)
        const put = yield* begun(index.put(known))
        yield* met
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(put)
        for (const _second of [1, 2, 3]) {
          yield* TestClock.adjust("10 seconds")
          assert.strictEqual(index.state().state, "ERROR")
        }
        yield* takeBack
        yield* runs(index)
      }
      const each = ["the file index failed", "the file index works again"]
      const said = lines.map(({ message }) => message).filter((message) => each.includes(message))
      assert.deepStrictEqual(said, [...each, ...each])
    }).pipe(Effect.provide(Layer.mergeAll(memoryGround, layer)))
  })

  it.effect("is no trouble where there is no room for later, and is where it cannot be told", () => {
    const { layer, lines } = listening()
    const failures = () => lines.filter(({ message }) => message === "the file index failed").length
    return Effect.gen(function* () {
      const { full } = yield* MemoryDatabases
      const { index } = yield* started
      full(true)
      yield* runs(index)
      assert.deepStrictEqual([index.state().state, failures()], ["RUNNING", 0])
      for (let i = 0; i < 500 && failures() === 0; i++) {
        yield* index.put({ ...file, filename: fileName("camera0", Date.UTC(2026, 0, 3) + i, "mp4") })
      }
      assert.strictEqual(failures(), 1)
    }).pipe(Effect.provide(Layer.mergeAll(memoryGround, layer)))
  })

  it.effect("is made good after a look that the disk did not answer", () =>
    Effect.gen(function* () {
      const { index, suffer } = yield* started
      yield* index.look([filename])
      yield* runs(index)
      const { met, takeBack } = yield* suffer(hung)
      const looking = yield* begun(Effect.exit(index.look([filename])))
      yield* met
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(looking)))
      assert.strictEqual(index.state().state, "ERROR")
      yield* takeBack
      yield* runs(index)
    }).pipe(Effect.provide(memoryGround))
  )
})
