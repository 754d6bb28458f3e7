import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "vitest"
import { DiskGuard } from "../../src/storage/DiskGuard.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { listen, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { take } from "../suites/snapshots.ts"
import { plugIn, runReal } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { mountSmallDisk, putIn, takeOut } from "../support/SmallDisk.ts"

const settings = { storage: { reserve_mb: 0, warn_percent: 100, refuse_percent: 100 } }

const goesOn = (name: string, comesBack: "the same" | "an empty one") =>
  it.live(
    `a recording goes on in a new file when ${name}, and nothing is written in its place meanwhile`,
    (context: TestContext) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const [disk, root] = [join(folder, "disk"), join(folder, "data")]
        if (!(yield* mountSmallDisk(disk, 64))) return context.skip("file systems cannot be mounted here")
        for (const made of [root, join(disk, "the same"), join(disk, "an empty one")]) mkdirSync(made)
        yield* Effect.acquireRelease(putIn(join(disk, "the same"), root), () => Effect.ignore(takeOut(root)))
        const body = Effect.gen(function* () {
          const camera = yield* plugIn()
          const told = yield* listen
          const recording = yield* start({ camera })
          yield* record(recording)
          const [first = ""] = yield* filesOnDisk

          yield* takeOut(root)
          yield* untilTold(told, 3)
          const reason = "the data folder is gone: its disk was unmounted or taken out"
          assert.deepInclude(told[2], { status: "ERROR", reason })
          assert.deepInclude(yield* Effect.flip(take({ camera })), { dependency: "storage", detail: reason })
          assert.include((yield* DiskGuard).unusable(), reason)
          assert.deepEqual(readdirSync(root), [])

          yield* putIn(join(disk, comesBack), root)
          yield* untilTold(told, 4)
          assert.deepInclude(told[3], { status: "RECORDING", reason: "the data folder is there again" })
          yield* until("there is a picture", Effect.isSuccess(take({ camera })))
          yield* record(recording)
          const { files } = yield* stop(camera)
          const last = files.at(-1)
          assert.notStrictEqual(last?.filename, first)
          assert.include(readdirSync(join(root, "recordings")), last?.filename)
          assert.isAbove(last?.duration ?? 0, 0)
          assert.isTrue(existsSync(join(disk, "the same", "recordings", first)))
        })
        yield* runReal(root, body, settings)
      }),
    120_000
  )

goesOn("its disk is back", "the same")
goesOn("another, empty disk is in its place", "an empty one")
