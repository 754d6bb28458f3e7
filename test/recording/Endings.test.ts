import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { listen, statuses, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { disturbWork, onFakes, plugIn } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"
import { allListed, allWhole, emptyFiles, endsInTime, remuxing, writing } from "./EndingsBench.ts"

describe("the service's end", () => {
  endsInTime(
    "waits for no remux: the file stays what it is, whole and indexed",
    Effect.gen(function* () {
      yield* disturbWork({ remux: "hangs" })
      const recording = yield* start({ camera: yield* plugIn(), format: "mkv" })
      yield* until(
        "the second file",
        Effect.sync(() => recording.segments().length === 2)
      )
      yield* remuxing
    }),
    { within: 4000, left: allWhole, overrides: { recording: { segment_seconds: 3 } } }
  )

  endsInTime(
    "nor for one that a stop waits for",
    Effect.gen(function* () {
      const recordings = yield* Recordings
      yield* disturbWork({ remux: "hangs" })
      const camera = yield* plugIn()
      yield* record(yield* start({ camera, format: "mkv" }))
      yield* Effect.forkChild(Effect.exit(recordings.stop(camera)), { startImmediately: true })
      yield* remuxing
    }),
    { within: 4000, left: allWhole }
  )

  endsInTime(
    "finds MediaMTX willing: its recordings are closed at once",
    Effect.gen(function* () {
      yield* record(yield* start({ camera: yield* plugIn() }))
    }),
    { within: 200, left: allWhole }
  )

  for (const [name, isViewed] of [
    ["comes although every child is frozen", false],
    ["comes although every child is frozen, and somebody watches too", true]
  ] as const) {
    endsInTime(
      name,
      Effect.gen(function* () {
        const { programs } = yield* TestGround
        const streams = yield* Streams
        for (const number of [0, 1, 2, 3, 4, 5]) {
          const camera = yield* plugIn(number)
          if (isViewed) yield* Effect.scoped(streams.lease(camera, "viewer"))
          yield* record(yield* start({ camera, format: "mkv" }))
        }
        for (const { isRunning, temper } of SubscriptionRef.getUnsafe(programs.processes)) {
          if (isRunning()) yield* SubscriptionRef.set(temper, "stopped")
        }
      }),
      { within: 7500, left: allListed }
    )
  }

  endsInTime(
    "comes although the disk hangs",
    Effect.gen(function* () {
      for (const camera of [yield* plugIn(0), yield* plugIn(1)]) yield* record(yield* start({ camera }))
      yield* (yield* TestGround).disk.suffer({ name: "hung", calls: writing, at: ".mp4" })
    }),
    { within: 8000 }
  )

  endsInTime(
    "comes although the disk hangs where it was asked for what others have changed",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const { recordings } = yield* DataFolder
      const hung = yield* disk.suffer({ name: "hung", calls: ["states"] })
      disk.outside.write(join(recordings, "camera7_2026-01-02_03-04-05.mp4"), new Uint8Array(1))
      const asked = yield* Effect.forkChild(hung.met)
      yield* until(
        "it is asked",
        Effect.sync(() => asked.pollUnsafe() !== undefined)
      )
    }),
    { within: 200 }
  )
})

describe("recordings that are over", () => {
  onFakes(
    "are not remembered",
    Effect.gen(function* () {
      setFlagsFromString("--expose-gc")
      const collect = runInNewContext("gc") as () => void
      const over: Array<WeakRef<object>> = []
      for (let number = 0; number < 10; number++) {
        const camera = yield* plugIn(number)
        over.push(new WeakRef(yield* start({ camera })))
        yield* stop(camera)
      }
      collect()
      // the last one is in this fiber's hands yet
      assert.isAtMost(over.filter((one) => one.deref() !== undefined).length, 1)
    })
  )
})

describe("a disk that takes nothing", () => {
  for (const [fault, detail] of [
    ["full", "no space is left on the disk"],
    ["read-only", "the file system is read-only"]
  ] as const) {
    onFakes(
      `(it is ${fault}) has a start refused at once, by its name`,
      Effect.gen(function* () {
        const { disk } = yield* TestGround
        const camera = yield* plugIn()
        const suffered = yield* disk.suffer({ name: fault })
        const before = yield* monotonicMillis
        const failure = yield* Effect.flip(start({ camera }))
        assert.deepInclude(failure, { dependency: "storage", detail: `cannot write the recording: ${detail}` })
        assert.isBelow((yield* monotonicMillis) - before, 1000)
        assert.lengthOf(yield* running("publish"), 0)
        yield* suffered.takeBack
        yield* record(yield* start({ camera }))
        assert.lengthOf((yield* stop(camera)).files, 1)
      })
    )
  }
})

describe("a disk that is full", () => {
  onFakes(
    "is told, and the recording goes on by itself; nothing empty is left",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const index = yield* FileIndex
      const told = yield* listen
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      const full = yield* disk.suffer({ name: "full" })
      yield* untilTold(told, 3)
      assert.deepInclude(told[2], {
        status: "ERROR",
        reason: "cannot write the recording: no space is left on the disk"
      })
      assert.isAtMost((yield* emptyFiles).length, 1)
      yield* full.takeBack
      yield* untilTold(told, 4)
      const { files } = yield* stop(camera)
      yield* untilTold(told, 5)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR", "RECORDING", "STOPPED"])
      const names = files.map(({ filename }) => filename)
      assert.lengthOf(names, 2)
      assert.deepEqual(yield* filesOnDisk, names)
      const listed = yield* index.list("recording", { limit: 50, offset: 0, devices: undefined })
      assert.deepEqual(listed.files.map(({ filename }) => filename).sort(), names)
    })
  )

  onFakes(
    "does not hold a stop, and leaves what there is",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const told = yield* listen
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      yield* disk.suffer({ name: "full" })
      yield* untilTold(told, 3)
      const before = yield* monotonicMillis
      const { files } = yield* stop(camera)
      assert.isBelow((yield* monotonicMillis) - before, 5000)
      assert.lengthOf(files, 1)
      assert.deepEqual(yield* filesOnDisk, [files[0]?.filename ?? ""])
    })
  )
})
