import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { Disk } from "../../src/ground/Disk.ts"
import type { DiskError } from "../../src/ground/DiskError.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { diskSuite } from "../suites/disk.ts"

const bytes = (length: number) => new Uint8Array(length)
const codeOf = <A, R>(call: Effect.Effect<A, DiskError, R>) => Effect.map(Effect.flip(call), ({ code }) => code)

const bench = Effect.all({ disk: Disk, memory: MemoryDisk })

describe("the disk in memory", () => {
  diskSuite(MemoryDisk.layer)

  it.effect("stamps files by the test's clock", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      yield* TestClock.adjust("5 seconds")
      memory.outside.write("/a", bytes(1))
      assert.strictEqual((yield* disk.state("/a")).modified, 5000)
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("is written to by other programs at once, and tells who watches", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      memory.outside.makeFolder("/data")
      const names = yield* disk.watch("/data")
      memory.outside.write("/data/a", new TextEncoder().encode("0123"))
      memory.outside.write("/data/a", new TextEncoder().encode("xy"), 1)
      assert.strictEqual(yield* disk.text("/data/a"), "0xy3")
      memory.outside.rename("/data/a", "/data/b")
      memory.outside.remove("/data/b")
      assert.deepStrictEqual(yield* Queue.takeAll(names), ["a", "a", "a", "a", "b", "b"])
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("that is full takes what fits, until there is room again", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      const file = yield* disk.create("/a", 0o640)
      const { met, takeBack } = yield* memory.suffer({ name: "full", freeBytes: 10 })
      yield* file.append(bytes(8))
      assert.strictEqual(yield* codeOf(file.append(bytes(8))), "ENOSPC")
      yield* met
      assert.strictEqual((yield* file.state).bytes, 10)
      assert.strictEqual(yield* codeOf(disk.create("/b", 0o640)), "ENOSPC")
      assert.throws(() => memory.outside.write("/a", bytes(1)), "ENOSPC")
      yield* disk.remove("/a")
      yield* (yield* disk.create("/b", 0o640)).append(bytes(10))
      yield* takeBack
      yield* file.append(bytes(100))
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("that hangs answers when the fault is taken back", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      const { met, takeBack } = yield* memory.suffer({ name: "hung", calls: ["sync"] })
      const syncing = yield* Effect.forkChild(disk.sync("/"))
      yield* met
      yield* disk.names("/")
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(syncing.pollUnsafe())
      yield* takeBack
      yield* Fiber.join(syncing)
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("that loses its power keeps what was synced, and of the rest what chance will", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      const file = yield* disk.create("/synced", 0o640)
      yield* file.append(bytes(4))
      yield* file.sync
      yield* disk.sync("/")
      yield* file.append(bytes(4))
      yield* disk.rename("/synced", "/renamed")
      yield* disk.create("/new", 0o640)
      memory.losePower(() => 0)
      assert.deepEqual(memory.outside.names("/"), ["synced"])
      assert.lengthOf(memory.outside.read("/synced"), 4)
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("may have a name without its bytes, and never the bytes that a failed sync had to write", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      const [unsynced, lost] = [yield* disk.create("/a", 0o640), yield* disk.create("/b", 0o640)]
      yield* unsynced.append(bytes(4))
      yield* lost.append(bytes(4))
      yield* memory.suffer({ name: "sync fails", at: "/b", times: 1 })
      assert.strictEqual(yield* codeOf(lost.sync), "EIO")
      yield* lost.sync
      yield* disk.sync("/")
      memory.losePower(() => 0)
      assert.lengthOf(memory.outside.read("/a"), 0)
      assert.lengthOf(memory.outside.read("/b"), 0)
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("does nothing more for who was killed, whatever that still waits for", () =>
    Effect.gen(function* () {
      const { memory } = yield* bench
      const { disk, kill } = memory.use(() => undefined)
      yield* memory.suffer({ name: "hung", calls: ["rename"] })
      yield* disk.create("/a", 0o640)
      const renaming = yield* Effect.forkChild(disk.rename("/a", "/b"), { startImmediately: true })
      kill()
      assert.isTrue(Exit.isFailure(yield* Fiber.await(renaming)))
      assert.strictEqual(yield* codeOf(disk.remove("/a")), "EINTR")
      assert.deepEqual(memory.outside.names("/"), ["a"])
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("that is slow takes its time", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      yield* memory.suffer({ name: "slow", by: "2 seconds" })
      const naming = yield* Effect.forkChild(disk.names("/"))
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(naming.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(naming)
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  it.effect("refuses as the kernel does: read-only, failing syncs, no watches left, no links", () =>
    Effect.gen(function* () {
      const { disk, memory } = yield* bench
      const file = yield* disk.create("/a", 0o640)
      const during = <A, E, R>(
        name: "read-only" | "sync fails" | "no watches" | "no links",
        body: Effect.Effect<A, E, R>
      ) => Effect.scoped(Effect.andThen(memory.suffer({ name }), body))
      assert.strictEqual(yield* during("read-only", codeOf(file.append(bytes(1)))), "EROFS")
      assert.strictEqual(yield* during("sync fails", codeOf(file.sync)), "EIO")
      assert.strictEqual(yield* during("no watches", codeOf(disk.watch("/"))), "ENOSPC")
      assert.strictEqual(yield* during("no links", codeOf(disk.link("/a", "/b"))), "EPERM")
      yield* disk.link("/a", "/b")
    }).pipe(Effect.provide(MemoryDisk.layer))
  )
})
