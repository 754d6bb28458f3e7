import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "vitest"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Retention } from "../../src/storage/Retention.ts"
import { StorageUsage } from "../../src/storage/StorageUsage.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { listen, statuses, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { plugIn, runReal } from "../support/App.ts"
import { mountSmallDisk } from "../support/SmallDisk.ts"

const megabyte = 1024 ** 2

const df = (folder: string) => {
  const columns = ["--block-size=1", "--output=size,used,avail,pcent", folder]
  const [, line = ""] = execFileSync("df", columns, { encoding: "utf8" }).split("\n")
  const [total, used, available, percent] = line.trim().split(/\s+/).map(Number.parseFloat)
  return { total, used, available, percent }
}

it.live(
  "a recording leaves a real disk its reserve, goes on when there is room, and its files go when they are old",
  (context: TestContext) =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "data")
      const folder = join(root, "recordings")
      mkdirSync(root)
      if (!(yield* mountSmallDisk(folder, 32))) return context.skip("file systems cannot be mounted here")
      const ballast = join(folder, ".ballast")
      const body = Effect.gen(function* () {
        const camera = yield* plugIn()
        const told = yield* listen
        const recording = yield* start({ camera })
        yield* record(recording)
        writeFileSync(ballast, Buffer.alloc(29 * megabyte))
        yield* untilTold(told, 3)
        assert.deepInclude(told[2], {
          status: "ERROR",
          reason: "only the reserve of 4 MB is left on the disk: a recording goes on when 8 MB are free"
        })
        const { percent, space } = yield* (yield* StorageUsage).now
        const { total, used, available } = space
        assert.deepEqual({ total, used, available, percent: Math.ceil(percent) }, df(folder))
        const first = (yield* filesOnDisk).find((name) => name.endsWith(".mp4")) ?? ""
        assert.isAbove((yield* (yield* FileIndex).get("recording", first))?.duration ?? 0, 0)

        rmSync(ballast)
        yield* untilTold(told, 4)
        yield* record(recording)
        const retention = yield* Retention
        yield* retention.setPolicy({ policy_type: "manual", enabled: true, max_age_days: 0.5 / 86_400 }, undefined)
        assert.deepInclude(yield* retention.cleanUp, { files: 1, reasons: { age: 1, size: 0, room: 0 } })
        const { files } = yield* stop(camera)
        assert.deepEqual(
          files.map(({ filename }) => filename),
          yield* filesOnDisk
        )
        assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR", "RECORDING", "STOPPED"])
      })
      yield* runReal(root, body, { storage: { reserve_mb: 4, warn_percent: 100, refuse_percent: 100 } })
    }),
  120_000
)
