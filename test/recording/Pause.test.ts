import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Recordings } from "../../src/recording/Recordings.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Retention } from "../../src/storage/Retention.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { listen, statuses, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, finishedOf, record, start, stop } from "../suites/recordings.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"

const megabyte = 1024 ** 2

/** A disk that has so much room beside what is there. */
const roomOf = Effect.fnUntraced(function* (bytes: number) {
  const { disk } = yield* TestGround
  disk.outside.write("/ballast", new Uint8Array(4 * megabyte))
  return yield* disk.suffer({ name: "small", bytes: 4 * megabyte + bytes })
})

const reserve = { storage: { reserve_mb: 1, refuse_percent: 100 } }
const reason = "only the reserve of 1 MB is left on the disk: a recording goes on when 2 MB are free"

describe("a recording when only the disk's reserve is left", () => {
  onFakes(
    "is whole, told, and goes on by itself in a new file when there is room",
    Effect.gen(function* () {
      const index = yield* FileIndex
      const { mediaMtx } = yield* TestGround
      const told = yield* listen
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      yield* record(recording)
      const full = yield* roomOf(megabyte - 1)
      yield* untilTold(told, 3)
      const [first = ""] = yield* filesOnDisk
      assert.deepInclude(told[2], { status: "ERROR", filename: first, reason })
      assert.isFalse((yield* mediaMtx.options(camera))?.["record"])
      assert.isAbove((yield* index.get("recording", first))?.duration ?? 0, 0)
      // whoever watches goes on watching
      assert.lengthOf(yield* running("publish"), 1)
      yield* full.takeBack
      yield* untilTold(told, 4)
      assert.deepInclude(told[3], { status: "RECORDING", reason: "there is room on the disk again" })
      yield* record(recording)
      const { files } = yield* stop(camera)
      assert.deepEqual(
        files.map(({ filename }) => filename),
        yield* filesOnDisk
      )
      assert.lengthOf(files, 2)
      for (const { duration } of files) assert.isAbove(duration, 0)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR", "RECORDING", "STOPPED"])
    }),
    reserve
  )

  onFakes(
    "is stopped as ever, with what there is",
    Effect.gen(function* () {
      const told = yield* listen
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      yield* roomOf(megabyte - 1)
      yield* untilTold(told, 3)
      const { files } = yield* stop(camera)
      assert.deepEqual(
        files.map(({ filename }) => filename),
        yield* filesOnDisk
      )
      assert.lengthOf(files, 1)
    }),
    reserve
  )

  onFakes(
    "goes on after MediaMTX was away meanwhile",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const told = yield* listen
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      yield* record(recording)
      const full = yield* roomOf(megabyte - 1)
      yield* untilTold(told, 3)
      yield* mediaMtx.crash
      yield* full.takeBack
      yield* until(
        "it goes on",
        Effect.sync(() => told.at(-1)?.status === "RECORDING")
      )
      yield* record(recording)
      assert.lengthOf((yield* stop(camera)).files, 2)
    }),
    reserve
  )

  onFakes(
    "does not begin",
    Effect.gen(function* () {
      yield* roomOf(megabyte - 1)
      const camera = yield* plugIn()
      const recordings = yield* Recordings
      const failure = yield* Effect.flip(recordings.start({ camera }))
      assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "storage", detail: reason })
      assert.lengthOf(yield* running("publish"), 0)
    }),
    reserve
  )
})

describe("a recording that runs for long", () => {
  onFakes(
    "loses its oldest segments to retention, and never the one that is being written",
    Effect.gen(function* () {
      const retention = yield* Retention
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      yield* until(
        "four of its files are whole",
        Effect.sync(() => finishedOf(recording) >= 4)
      )
      const open = recording.segments().at(-1)?.filename ?? ""
      yield* retention.setPolicy({ policy_type: "age", enabled: true, max_age_days: 4 / 86_400 }, undefined)
      yield* asTimePasses(retention.cleanUp)
      const left = yield* filesOnDisk
      assert.include(left, open)
      assert.isBelow(left.length, 4)
      assert.notInclude(left, recording.segments()[0]?.filename)
      yield* record(recording)
      const { files } = yield* stop(camera)
      const names = files.map(({ filename }) => filename)
      assert.include(names, open)
      assert.deepEqual(names, yield* filesOnDisk)
    }),
    { recording: { segment_seconds: 3 } }
  )

  onFakes(
    "goes on where retention makes room for it",
    Effect.gen(function* () {
      const told = yield* listen
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      // what is younger than a minute goes for no want of room
      yield* asTimePasses(Effect.sleep("70 seconds"))
      yield* roomOf(3 * megabyte)
      yield* until(
        "its oldest file is gone",
        Effect.map(filesOnDisk, (names) => !names.includes(recording.segments()[0]?.filename ?? ""))
      )
      assert.notInclude(statuses(told), "ERROR")
      yield* stop(camera)
    }),
    { recording: { segment_seconds: 5 }, storage: { reserve_mb: 0, delete_percent: 55, warn_percent: 50 } }
  )
})
