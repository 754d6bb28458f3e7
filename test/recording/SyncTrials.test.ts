import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Disk } from "../../src/ground/Disk.ts"
import { syncTrials } from "../../src/recording/SyncTrials.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { memoryGround } from "../storage/Workbench.ts"

const folder = "/recordings"

/** `awaitSync`, and for how many seconds one waits for it. */
const trials = Effect.gen(function* () {
  const disk = yield* Disk
  yield* disk.makeFolder(folder, 0o750)
  const awaitSync = syncTrials(disk, folder)
  const secondsOf = (waiting: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const asking = yield* Effect.forkChild(waiting, { startImmediately: true })
      let seconds = 0
      for (; asking.pollUnsafe() === undefined && seconds < 1000; seconds++) yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(asking)
      return seconds
    })
  return { awaitSync, seconds: secondsOf(awaitSync), secondsOf }
})

describe("trials of whether the disk syncs again", () => {
  it.effect("are ever rarer, up to one a minute, where it does and then fails the recording after all", () =>
    Effect.gen(function* () {
      const { seconds } = yield* trials
      const waited: Array<number> = []
      for (let i = 0; i < 7; i++) {
        waited.push(yield* seconds)
        // the file that began then is given up as well
        yield* TestClock.adjust("1 second")
      }
      assert.deepEqual(waited, [2, 4, 8, 16, 32, 60, 60])
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("are soon again when files were synced for a while", () =>
    Effect.gen(function* () {
      const { seconds } = yield* trials
      assert.deepEqual([yield* seconds, yield* seconds, yield* seconds], [2, 4, 8])
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* seconds, 16)
      yield* TestClock.adjust("60 seconds")
      assert.deepEqual([yield* seconds, yield* seconds], [2, 4])
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("go on while it fails, ever rarer too, for all recordings together, and leave nothing behind", () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      const { awaitSync, secondsOf } = yield* trials
      const { calls: called, suffer } = yield* MemoryDisk
      const calls = yield* called
      const failing = yield* suffer({ name: "sync fails", at: folder })
      yield* Effect.forkChild(failing.takeBack.pipe(Effect.delay("20 seconds")), { startImmediately: true })
      assert.strictEqual(yield* secondsOf(Effect.all([awaitSync, awaitSync], { concurrency: 2 })), 30)
      // of those who ask at the same moment each may have its own
      assert.isAtMost(calls.filter((call) => call.startsWith("create")).length, 4 * 2)
      assert.deepEqual(yield* disk.names(folder), [])
    }).pipe(Effect.provide(memoryGround))
  )
})
