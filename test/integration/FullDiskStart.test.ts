import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { closeSync, existsSync, openSync, rmSync, utimesSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "vitest"
import { FileIndex, indexName } from "../../src/storage/FileIndex.ts"
import { fileName } from "../../src/storage/Names.ts"
import { Retention } from "../../src/storage/Retention.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { liveCamera } from "../suites/snapshots.ts"
import { stateOf } from "../suites/streams.ts"
import { runReal } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { mountSmallDisk } from "../support/SmallDisk.ts"

const recordedAt = new Date("2026-01-02T03:04:05Z")
const recording = fileName("camera0", recordedAt.getTime(), "mp4")

/** To the last byte. */
const fill = (path: string) => {
  const file = openSync(path, "w")
  try {
    for (;;) writeSync(file, Buffer.alloc(4096))
  } catch {
    closeSync(file)
  }
}

const settings = { storage: { reserve_mb: 0, warn_percent: 100, refuse_percent: 100 } }

const listed = (count: number) =>
  until(
    `${count} recordings`,
    Effect.flatMap(FileIndex, (index) => Effect.map(index.totals("recording"), ({ files }) => files === count))
  )

const indexRuns = until(
  "the index",
  Effect.map(FileIndex, (index) => index.state().state === "RUNNING")
)

const startsFull = (name: string, before: (root: string) => void) =>
  it.live(
    `on a disk that is full to the last byte ${name}`,
    (context: TestContext) =>
      Effect.gen(function* () {
        const root = join(yield* temporaryFolder, "data")
        if (!(yield* mountSmallDisk(root, 16))) return context.skip("file systems cannot be mounted here")
        yield* runReal(root, indexRuns, settings)
        const path = join(root, "recordings", recording)
        writeFileSync(path, Buffer.alloc(4 * 1024 ** 2))
        utimesSync(path, recordedAt, recordedAt)
        yield* runReal(root, listed(1), settings)
        before(root)
        fill(join(root, "ballast"))
        const body = Effect.gen(function* () {
          const { stream } = yield* liveCamera
          assert.strictEqual(stateOf(stream)._tag, "Ready")
          yield* listed(1)
          assert.deepInclude(yield* (yield* Retention).cleanUp, { files: 1, reasons: { age: 0, size: 0, room: 1 } })
          assert.isFalse(existsSync(path))
          yield* listed(0)
          yield* indexRuns
          assert.isTrue(existsSync(join(root, indexName)))
        })
        yield* runReal(root, body, { storage: { ...settings.storage, delete_percent: 50 } })
      }),
    120_000
  )

startsFull("a service starts, shows cameras, and cleans up", () => undefined)
startsFull("a service starts where its index is gone, too", (root) => {
  for (const suffix of ["", "-wal"]) rmSync(join(root, `${indexName}${suffix}`), { force: true })
})
