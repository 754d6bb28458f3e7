import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { Disk } from "../../src/ground/Disk.ts"
import { step } from "../../testing/PassingTime.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { aMinuteLater, day, folderIsThere, left, onMemory, put, root, start, started } from "./RetentionBench.ts"

/** The guard of the disk has nothing to say: cleanups come when they are asked for, and every minute. */
const quiet = { warn_percent: 100, refuse_percent: 100, reserve_mb: 0 }

describe("retention by free space", () => {
  onMemory(
    "deletes the oldest until no more of the disk is used than that, and no more",
    Effect.gen(function* () {
      yield* folderIsThere
      const { outside, suffer } = yield* MemoryDisk
      for (let i = 0; i < 8; i++) yield* put("camera0", i, 100)
      outside.write("/others", new Uint8Array(100))
      yield* TestClock.setTime(start + 9 * day)
      yield* suffer({ name: "small", bytes: 1000 })
      const { cleanUp } = yield* started({ ...quiet, delete_percent: 70 })
      // 900 of 1000 are used, and a little for the service itself
      assert.deepInclude(yield* cleanUp, { files: 3, reasons: { age: 0, size: 0, room: 3 } })
      assert.lengthOf(yield* left(), 5)
      assert.deepInclude(yield* cleanUp, { files: 0 })
    })
  )

  onMemory(
    "does not go on and on where the disk does not show what came free: it waits a minute for that",
    Effect.gen(function* () {
      yield* folderIsThere
      const { suffer } = yield* MemoryDisk
      const { link } = yield* Disk
      for (let i = 0; i < 8; i++) {
        const name = yield* put("camera0", i, 100)
        // as a file that another program has open: without a name it takes its place all the same
        yield* link(join(root, "recordings", name), `/open${i}`)
      }
      yield* TestClock.setTime(start + 9 * day)
      yield* suffer({ name: "small", bytes: 1000 })
      const { cleanUp } = yield* started({ ...quiet, delete_percent: 70 })
      assert.deepInclude(yield* cleanUp, { files: 2 })
      assert.deepInclude(yield* cleanUp, { files: 0 })
      yield* aMinuteLater
      assert.lengthOf(yield* left(), 4)
    })
  )

  onMemory(
    "does not wait for the minute when the disk is getting full",
    Effect.gen(function* () {
      yield* folderIsThere
      const { suffer } = yield* MemoryDisk
      for (let i = 0; i < 9; i++) yield* put("camera0", i, 100)
      yield* TestClock.setTime(start + 9 * day)
      yield* started({ delete_percent: 70, reserve_mb: 0 })
      yield* suffer({ name: "small", bytes: 1000 })
      yield* TestClock.adjust("5 seconds")
      yield* step
      assert.lengthOf(yield* left(), 6)
    })
  )
})
