import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "vitest"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { listen, statuses, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { plugIn, type RealApp, runReal } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { mountSmallDisk } from "../support/SmallDisk.ts"

/** Fills the disk to its last byte, and gives what takes all of it back. */
const fill = (folder: string) => {
  const ballast = join(folder, ".ballast")
  for (const bytes of [65_536, 4096, 1]) {
    for (;;) {
      const before = statSync(ballast, { throwIfNoEntry: false })?.size ?? 0
      try {
        appendFileSync(ballast, Buffer.alloc(bytes))
      } catch {
        truncateSync(ballast, before)
        break
      }
    }
  }
  return () => rmSync(ballast)
}

const bytesOf = (folder: string) => (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 1

/** The recordings alone are on the small disk, or (`isShared`) all of the service's data. */
const onSmallDisk = <E>(
  name: string,
  body: (folder: string) => Effect.Effect<void, E, RealApp | Scope.Scope>,
  isShared = false
) =>
  it.live(
    name,
    (context: TestContext) =>
      Effect.gen(function* () {
        const root = join(yield* temporaryFolder, "data")
        const folder = join(root, "recordings")
        if (!isShared) mkdirSync(root)
        if (!(yield* mountSmallDisk(isShared ? root : folder, 4)))
          return context.skip("file systems cannot be mounted here")
        // the guard of the disk would not let it get so full
        yield* runReal(root, body(folder), { storage: { reserve_mb: 0, refuse_percent: 100 } })
      }),
    120_000
  )

describe("a recording whose disk is full", () => {
  onSmallDisk("is told so, leaves no empty files, and goes on by itself when there is room", (folder) =>
    Effect.gen(function* () {
      const index = yield* FileIndex
      const camera = yield* plugIn()
      const told = yield* listen
      yield* record(yield* start({ camera }))
      const free = fill(folder)
      yield* untilTold(told, 3)
      assert.strictEqual(told[2]?.status, "ERROR")
      assert.strictEqual(told[2]?.reason, "cannot write the recording: no space is left on the disk")
      // MediaMTX tries every 2 s, with an empty file each time
      const tried = new Set<string>()
      yield* until(
        "its third try",
        Effect.map(filesOnDisk, (names) => {
          const empty = names.filter((file) => file.endsWith(".mp4") && bytesOf(folder)(file) === 0)
          for (const file of empty) tried.add(file)
          return tried.size >= 3
        })
      )
      assert.isAtMost((yield* filesOnDisk).filter((file) => bytesOf(folder)(file) === 0).length, 2)
      free()
      yield* untilTold(told, 4)
      assert.deepInclude(told[3], { status: "RECORDING", reason: "there is room on the disk again" })
      const { files } = yield* stop(camera)
      yield* untilTold(told, 5)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR", "RECORDING", "STOPPED"])
      const names = files.map(({ filename }) => filename)
      assert.deepEqual(names, yield* filesOnDisk)
      assert.isAtLeast(files.length, 2)
      for (const { bytes, filename } of files) assert.isAbove(bytes, 0, filename)
      assert.isAbove(files.at(-1)?.duration ?? 0, 0)
      const listed = yield* index.list("recording", { limit: 50, offset: 0, devices: undefined })
      assert.deepEqual(listed.files.map(({ filename }) => filename).sort(), names)
    })
  )

  onSmallDisk("is stopped, with what there is, before it would be cut off", (folder) =>
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const told = yield* listen
      yield* record(yield* start({ camera }))
      fill(folder)
      yield* untilTold(told, 3)
      const { files, reason } = yield* stop(camera)
      assert.isUndefined(reason, "what is cut off says so")
      assert.lengthOf(files, 1)
      assert.isAbove(files[0]?.duration ?? 0, 0)
      const names = files.map(({ filename }) => filename)
      assert.deepEqual(
        readdirSync(folder).filter((name) => name !== ".ballast"),
        names
      )
    })
  )

  onSmallDisk("refuses a start at once, and says why", (folder) =>
    Effect.gen(function* () {
      const camera = yield* plugIn()
      fill(folder)
      const before = yield* monotonicMillis
      const failure = yield* Effect.flip(start({ camera }))
      assert.deepInclude(failure, {
        dependency: "storage",
        detail: "cannot write the recording: no space is left on the disk"
      })
      // the first bytes of a file have 10 s to come: they are not waited for
      assert.isBelow((yield* monotonicMillis) - before, 8000)
      assert.deepEqual(
        readdirSync(folder).filter((name) => name !== ".ballast"),
        []
      )
    })
  )

  onSmallDisk(
    "is listed with the sizes that its files have, though the index cannot write either",
    (folder) =>
      Effect.gen(function* () {
        const index = yield* FileIndex
        const camera = yield* plugIn()
        const told = yield* listen
        yield* record(yield* start({ camera }))
        fill(folder)
        yield* untilTold(told, 3)
        const { files } = yield* stop(camera)
        const listed = yield* index.list("recording", { limit: 50, offset: 0, devices: undefined })
        assert.lengthOf(listed.files, 1)
        assert.deepInclude(listed.files[0], { ...files[0] })
        assert.deepEqual(
          listed.files.map(({ bytes }) => bytes),
          listed.files.map(({ filename }) => statSync(join(folder, filename)).size)
        )
      }),
    true
  )
})
