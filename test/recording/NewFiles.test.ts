import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { interrupted, listen, statuses, steps, untilTold } from "../suites/interruptions.ts"
import { asTimePasses, filesOnDisk, finishedOf, record, start, stop } from "../suites/recordings.ts"
import { type FakeApp, dataFolder, onFakes, onTestGround, plugIn, runFake } from "../support/App.ts"
import { Ground, until } from "../support/Ground.ts"
import { hour, onSettableClock } from "../support/WallClock.ts"

describe("the folder of recordings", () => {
  onFakes(
    "is not read when a recording starts or stops",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      const before = disk.listings()
      for (let i = 0; i < 2; i++) {
        yield* record(yield* start({ camera }))
        assert.lengthOf((yield* stop(camera)).files, 1)
      }
      assert.strictEqual(disk.listings(), before)
    })
  )

  onFakes(
    "may be indexed by somebody else first: a file that grows is the recording's all the same",
    Effect.gen(function* () {
      const index = yield* FileIndex
      const recordings = yield* Recordings
      const { step } = yield* Ground
      const camera = yield* plugIn()
      const starting = yield* Effect.forkChild(recordings.start({ camera }), { startImmediately: true })
      while (starting.pollUnsafe() === undefined) {
        yield* index.reconcile
        yield* step
      }
      const recording = yield* Fiber.join(starting)
      yield* record(recording)
      assert.lengthOf((yield* stop(camera)).files, 1)
    })
  )

  onFakes(
    "loses the empty files that a full disk left, and so does an index that has met them",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const index = yield* FileIndex
      const { recordings: folder } = yield* DataFolder
      const { names, read } = disk.outside
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      const full = yield* disk.suffer({ name: "full" })
      const empty = yield* until(
        "an empty file",
        Effect.sync(() => names(folder).find((name) => read(join(folder, name)).length === 0))
      )
      yield* index.reconcile
      assert.deepInclude(yield* index.get("recording", empty), { bytes: 0 })
      yield* full.takeBack
      yield* until(
        "it is gone",
        Effect.sync(() => !names(folder).includes(empty))
      )
      assert.isUndefined(yield* index.get("recording", empty))
    })
  )

  it.effect("is read now and then where it cannot be watched, and recordings go on as they do", () =>
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* disk.suffer({ name: "no watches" })
      const body = Effect.gen(function* () {
        const before = disk.listings()
        const camera = yield* plugIn()
        yield* record(yield* start({ camera }))
        yield* stop(camera)
        const recording = yield* start({ camera })
        yield* until(
          "two files that are done",
          Effect.sync(() => finishedOf(recording) >= 2)
        )
        const { files } = yield* stop(camera)
        assert.isAbove(disk.listings(), before)
        assert.deepEqual(
          files.map(({ filename }) => filename),
          (yield* filesOnDisk).slice(1)
        )
      })
      yield* runFake(dataFolder, body, { recording: { segment_seconds: 3 } })
    }).pipe(Effect.scoped, onTestGround)
  )
})

describe("a clock that is set while a camera records", () => {
  const whenSet = <E>(
    name: string,
    body: (set: (by: number) => void) => Effect.Effect<void, E, FakeApp | Scope.Scope>
  ) =>
    it.effect(name, () =>
      onSettableClock((set) =>
        onTestGround(runFake(dataFolder, body(set), { recording: { segment_seconds: 4, resume_seconds: 10 } }))
      )
    )

  for (const by of [hour, -hour]) {
    whenSet(`by ${by / hour} h cuts and ends nothing, and prolongs nothing`, (set) =>
      Effect.gen(function* () {
        // names before 1970 are none
        set(10 * hour)
        const recordings = yield* Recordings
        const camera = yield* plugIn()
        const told = yield* listen
        const before = yield* monotonicMillis
        const recording = yield* asTimePasses(recordings.start({ camera, duration: Duration.seconds(15) }))
        yield* record(recording)
        set(by)
        yield* until(
          "its end",
          Effect.sync(() => told.find(({ status }) => status === "STOPPED"))
        )
        const last = told.at(-1)
        assert.strictEqual(last?.reason, "its duration is over")
        assert.closeTo((yield* monotonicMillis) - before, 15_500, 1000)
        assert.closeTo(last?.duration ?? 0, 15.5, 1)
        // a file every 4 s, as without
        assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "RECORDING", "RECORDING", "RECORDING", "STOPPED"])
        const names = recording.segments().map(({ filename }) => filename)
        assert.deepEqual([...names].sort(), yield* filesOnDisk)
        assert.lengthOf(names, 4)
      })
    )

    whenSet(`by ${by / hour} h makes no wait for its camera longer or shorter`, (set) =>
      Effect.gen(function* () {
        set(10 * hour)
        const { told } = yield* interrupted
        const before = yield* monotonicMillis
        set(by)
        yield* steps(450)
        assert.lengthOf(told, 3)
        yield* untilTold(told, 4)
        assert.strictEqual(told[3]?.reason, "the camera did not come back within 10 s")
        assert.closeTo((yield* monotonicMillis) - before, 10_000, 1000)
      })
    )
  }
})
