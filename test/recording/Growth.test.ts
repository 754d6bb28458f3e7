import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Disk } from "../../src/ground/Disk.ts"
import { watchGrowth } from "../../src/recording/Growth.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { listen, statuses } from "../suites/interruptions.ts"
import { asTimePasses, record, sizeOf, start } from "../suites/recordings.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"

/** What the list says that a file has. */
const listedSize = Effect.fnUntraced(function* (wanted: string) {
  const { files } = yield* (yield* FileIndex).list("recording", { limit: 50, offset: 0, devices: undefined })
  return files.find(({ filename }) => filename === wanted)?.bytes ?? 0
})

describe("a recording that is being written", () => {
  it.effect("is told of though its file grows only every 5 s, as of a camera that gives a frame in that time", () =>
    Effect.gen(function* () {
      const { outside } = yield* MemoryDisk
      const told: Array<number> = []
      const grew = (files: ReadonlyArray<{ readonly bytes: number }>) =>
        Effect.sync(() => void told.push(...files.map(({ bytes }) => bytes)))
      outside.makeFolder("/recordings")
      outside.write("/recordings/a.mp4", new Uint8Array(1))
      const follow = yield* watchGrowth(yield* Disk, "/recordings", { grew })
      yield* follow(
        () => "a.mp4",
        () => undefined
      )
      yield* TestClock.adjust("2500 millis")
      for (let bytes = 2; bytes < 5; bytes++) {
        outside.write("/recordings/a.mp4", new Uint8Array(1))
        yield* TestClock.adjust("5 seconds")
      }
      assert.deepStrictEqual(told, [2, 3, 4])
    }).pipe(Effect.provide(MemoryDisk.layer))
  )

  onFakes(
    "is listed with its size, 6 s ago at the earliest, and counted with it",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      const filename = recording.segments()[0]?.filename ?? ""
      for (const _ of [1, 2, 3]) {
        yield* record(recording)
        const before = yield* sizeOf(filename)
        yield* asTimePasses(Effect.sleep("6 seconds"))
        const listed = yield* listedSize(filename)
        assert.isAtLeast(listed, before)
        assert.deepInclude(yield* (yield* FileIndex).totals("recording"), { files: 1, bytes: listed })
      }
    })
  )

  onFakes(
    "is listed at once with the size that was known last while the disk is slow to take another, and goes on",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      const filename = recording.segments()[0]?.filename ?? ""
      const told = yield* listen
      const before = yield* listedSize(filename)
      const hung = yield* disk.suffer({ name: "hung", calls: ["touch"] })
      yield* asTimePasses(Effect.sleep("9 seconds"))
      yield* hung.met
      // no time passes until it is answered
      assert.strictEqual(yield* listedSize(filename), before)
      const size = yield* sizeOf(filename)
      assert.isAbove(size, before)
      yield* asTimePasses(Effect.sleep("20 seconds"))
      assert.isAtMost(disk.pending(), 1)
      assert.deepStrictEqual(told, [])
      yield* hung.takeBack
      yield* until(
        "the disk has taken it",
        Effect.map(listedSize(filename), (listed) => listed > size)
      )
    })
  )
})

describe("a disk that hangs", () => {
  onFakes(
    "is told by all recordings, is asked by all together, and goes on with them",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const cameras = yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], plugIn)
      for (const camera of cameras) yield* start({ camera })
      const told = yield* listen
      const hung = yield* disk.suffer({ name: "hung", at: "/recordings" })
      const untilAllAre = (status: string) =>
        until(
          status,
          Effect.sync(
            () =>
              told.length > 0 && cameras.every((id) => told.findLast(({ device }) => device === id)?.status === status)
          )
        )
      yield* untilAllAre("ERROR")
      for (const { reason } of told) assert.strictEqual(reason, "the disk does not answer")
      assert.lengthOf(statuses(told), cameras.length)
      // its room, whether they grow, whether it takes anything, and four syncs of open files
      assert.isAtMost(disk.pending(), 7)
      yield* hung.takeBack
      yield* untilAllAre("RECORDING")
    })
  )
})
