import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { fileName } from "../../src/storage/Names.ts"
import { StorageUsage } from "../../src/storage/StorageUsage.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { indexed, memoryGround, storage, storageAt, temporaryFolder } from "./Workbench.ts"

const day = 86_400_000
const start = Date.UTC(2026, 0, 2)

it.live("the disk is as df tells it", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const context = yield* Layer.build(storageAt(folder))
    const df = () => {
      const columns = ["--block-size=1", "--output=size,used,avail,pcent", join(folder, "recordings")]
      const [, line = ""] = execFileSync("df", columns, { encoding: "utf8" }).split("\n")
      return line.trim().split(/\s+/).map(Number.parseFloat)
    }
    const [total, used = 0, available = 0, percent = 0] = df()
    const usage = yield* Context.get(context, StorageUsage).now
    const [, usedThen = 0, availableThen = 0, percentThen = 0] = df()
    assert.strictEqual(usage.space.total, total)
    // others write meanwhile
    const isBetween = (one: number, value: number, other: number, slack: number) =>
      value >= Math.min(one, other) - slack && value <= Math.max(one, other) + slack
    assert.isTrue(isBetween(used, usage.space.used, usedThen, 50_000_000))
    assert.isTrue(isBetween(available, usage.space.available, availableThen, 50_000_000))
    assert.isTrue(isBetween(percent, Math.ceil(usage.percent), percentThen, 0))
  }).pipe(Effect.scoped)
)

it.effect(
  "what cameras write, how far back it reaches, and when the disk is full, with what is being written now",
  () =>
    Effect.gen(function* () {
      const { outside, suffer } = yield* MemoryDisk
      yield* TestClock.setTime(start + 2 * day)
      const context = yield* Layer.build(storage("/data"))
      const index = Context.get(context, FileIndex)
      const usage = Context.get(context, StorageUsage)
      assert.deepInclude(yield* usage.now, { keptMillis: undefined, bytesPerDay: 0, fullAt: undefined, isLow: false })
      const megabytes = (count: number) => count * 1024 ** 2
      for (const [dayNumber, codec] of [
        [0, "h264"],
        [1, ""]
      ] as const) {
        const filename = fileName("camera0", start + dayNumber * day, "mp4")
        outside.write(join("/data/recordings", filename), new Uint8Array(megabytes(1)))
        const isOver = codec !== ""
        yield* index.put(
          indexed({ filename, codec, bytes: isOver ? megabytes(1) : 10, created: start + dayNumber * day })
        )
        // what is known of one that is over stays
        yield* index.grew([{ filename, bytes: megabytes(isOver ? 2 : 1), modified: start + 2 * day }])
      }
      yield* suffer({ name: "small", bytes: megabytes(300) })
      const now = yield* usage.now
      assert.strictEqual(now.recordings, megabytes(2))
      assert.strictEqual(now.keptMillis, 2 * day)
      assert.closeTo(now.bytesPerDay, megabytes(1), 1)
      // 298 MB are free, and 256 are never used
      assert.closeTo(((now.fullAt ?? 0) - start - 2 * day) / day, 42, 0.1)
      assert.strictEqual(now.retention, "no limit is set for files")
    }).pipe(Effect.provide(memoryGround))
)
