import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import { Disk } from "../../src/ground/Disk.ts"
import type { CameraFact } from "../../src/device/CameraFact.ts"
import { Devices } from "../../src/device/Devices.ts"
import * as GoingOn from "../../src/recording/GoingOn.ts"
import { makeFacts } from "../../src/facts/Facts.ts"
import type { RecordingFact, RecordingRequest } from "../../src/recording/Recording.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { Unfinished } from "../../src/recording/Unfinished.ts"
import { Served } from "../../src/self/Served.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { fileName, parseFileName } from "../../src/storage/Names.ts"
import { Timeline } from "../../src/storage/Timeline.ts"
import type { StoredFile } from "../../src/storage/IndexedFile.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { found } from "../device/InMemory.ts"
import { asTimePasses, filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { fakes, plugIn } from "../support/App.ts"
import { indexed, memoryGround, storage } from "../storage/Workbench.ts"
import { until } from "../support/Ground.ts"
import { testSettings } from "../support/TestSettings.ts"
import { afterCrash, crash, facts, goesOn, listed, nothingGoesOn, pass } from "./CrashBench.ts"

describe("a recording that a crash cut off", () => {
  fakes.starts("goes on in its format when its camera is there, and what is missing is told", (run, folder) =>
    Effect.gen(function* () {
      yield* afterCrash(run, folder, yield* crash(run, folder))
      yield* run(
        folder,
        Effect.gen(function* () {
          const told = yield* facts
          const before = yield* filesOnDisk
          yield* pass(8)
          assert.deepEqual(yield* filesOnDisk, before)
          const camera = yield* plugIn()
          const { filename, reason } = yield* goesOn(told)
          const [last = ""] = before
          const { modified } = yield* (yield* Disk).state(join((yield* DataFolder).recordings, last))
          const missing = Math.round(((parseFileName(filename)?.startedAt ?? 0) - modified) / 1000)
          assert.strictEqual(reason, `the service ended before the recording did; ${missing} s are missing`)
          assert.match(filename, /\.ts$/u)
          assert.lengthOf((yield* stop(camera)).files, 1)
        })
      )
      yield* run(folder, nothingGoesOn)
    })
  )

  fakes.starts(
    "is on the timeline while it goes on, although the start's walk over the disk meets its file",
    (run, folder) =>
      Effect.gen(function* () {
        yield* afterCrash(run, folder, yield* crash(run, folder))
        yield* run(
          folder,
          Effect.gen(function* () {
            const told = yield* facts
            const device = yield* plugIn()
            const { filename } = yield* goesOn(told)
            yield* pass(2)
            yield* asTimePasses((yield* FileIndex).reconcile)
            yield* pass(3)
            const { files, spans } = yield* Timeline
            const period = { from: 0, to: Number.MAX_SAFE_INTEGER }
            assert.isTrue((yield* spans(device, period, 0)).at(-1)?.isRecording)
            const last = (yield* files(device, period, 10)).at(-1)
            assert.deepInclude(last, { filename, isWritten: true, end: yield* Clock.currentTimeMillis })
            yield* stop(device)
          })
        )
      })
  )

  fakes.starts("ends when it was to end, and does not go on after that", (run, folder) =>
    Effect.gen(function* () {
      const restore = yield* crash(run, folder, { duration: Duration.seconds(15) })
      yield* afterCrash(run, folder, restore)
      const ended = yield* run(
        folder,
        Effect.gen(function* () {
          const told = yield* facts
          yield* plugIn()
          yield* goesOn(told)
          return yield* until(
            "it ends",
            Effect.sync(() => told.find(({ _tag }) => _tag === "RecordingEnded"))
          )
        })
      )
      assert.isBelow(ended.seconds, 15)
      yield* afterCrash(run, folder, restore)
      const told = yield* run(
        folder,
        Effect.gen(function* () {
          const told = yield* facts
          yield* plugIn()
          yield* pass(5)
          return told
        })
      )
      assert.deepEqual(
        told.map(({ _tag, reason }) => [_tag, reason]),
        [["RecordingEnded", "the service ended before the recording did; its time was over before it could go on"]]
      )
      yield* run(folder, nothingGoesOn)
    })
  )

  fakes.starts("is given up when its camera does not come in time, and that is told", (run, folder) =>
    Effect.gen(function* () {
      yield* afterCrash(run, folder, yield* crash(run, folder))
      yield* run(
        folder,
        Effect.gen(function* () {
          const told = yield* facts
          const { reason } = yield* until(
            "it is given up",
            Effect.sync(() => told.find(({ _tag }) => _tag === "RecordingFailed"))
          )
          assert.match(reason ?? "", /could not go on within 20 s$/u)
          yield* plugIn()
          yield* pass(5)
          assert.lengthOf(told, 1)
        }),
        { recording: { resume_seconds: 20 } }
      )
    })
  )

  fakes.starts("does not go on once somebody has stopped it", (run, folder) =>
    Effect.gen(function* () {
      yield* afterCrash(run, folder, yield* crash(run, folder))
      yield* run(
        folder,
        Effect.gen(function* () {
          const told = yield* facts
          assert.strictEqual((yield* Effect.flip(stop("camera0")))._tag, "InvalidState")
          yield* plugIn()
          yield* pass(5)
          assert.deepEqual(told, [])
        })
      )
    })
  )

  fakes.starts("of which the file is damaged does not, and all else does", (run, folder) =>
    Effect.gen(function* () {
      yield* afterCrash(
        run,
        folder,
        Effect.gen(function* () {
          const { outside } = (yield* TestGround).disk
          outside.write(yield* listed, new TextEncoder().encode('{"version":1,"recordings":[{'))
        })
      )
      yield* run(
        folder,
        Effect.gen(function* () {
          const camera = yield* plugIn()
          yield* record(yield* start({ camera }))
          assert.lengthOf((yield* stop(camera)).files, 1)
        })
      )
    })
  )
})

/** A start that finds one cut off; what comes of it. The index is what it was before: nobody has walked over the disk yet. */
const going = Effect.fnUntraced(function* (served: Latch.Latch, changes: Devices["Service"]["changes"]) {
  const given: Array<string> = []
  const asked: Array<RecordingRequest> = []
  yield* Layer.build(GoingOn.layer).pipe(
    Effect.provide([
      Layer.succeed(Settings, testSettings({ recording: { resume_seconds: 0 } })),
      Layer.succeed(Served, served),
      Layer.mock(Devices, {
        changes,
        list: () => [],
        find: () => undefined,
        settled: () => true,
        facts: yield* makeFacts<CameraFact>()
      }),
      Layer.mock(Unfinished, {
        list: Effect.succeed([{ device: "camera0", format: "mp4" } as const]),
        has: () => Effect.succeed(true)
      }),
      Layer.mock(Recordings, {
        start: (request) =>
          Effect.andThen(
            Effect.sync(() => void asked.push(request)),
            Effect.never
          ),
        giveUp: (_, reason) => Effect.sync(() => void given.push(reason)),
        now: () => new Map(),
        facts: yield* makeFacts<RecordingFact>()
      })
    ])
  )
  return { asked, given }
})
const stored = storage("/data").pipe(
  Layer.provide(Layer.succeed(Served, Latch.makeUnsafe(false))),
  Layer.provideMerge(memoryGround)
)

describe("when a recording was cut off", () => {
  // the test's clock begins here
  const at = 0
  const filename = fileName("camera0", at, "mp4")
  const begun = { filename, bytes: 1, modified: at, created: at }

  /** What is told of it, where the index says this and the last byte came 355 s after the first. */
  const cutOffAt = (file: StoredFile) =>
    Effect.gen(function* () {
      const { outside } = yield* MemoryDisk
      const camera = { ...found("1-1"), id: "camera0", status: "CONNECTED" } as const
      yield* (yield* FileIndex).put(file)
      yield* TestClock.adjust("355 seconds")
      outside.write(`/data/recordings/${filename}`, new Uint8Array(1000))
      yield* TestClock.adjust("3 seconds")
      const { asked } = yield* going(Latch.makeUnsafe(true), Stream.make(camera))
      yield* Effect.repeat(Effect.yieldNow, { until: () => asked.length > 0 })
      return asked[0]?.goesOnAfter?.at
    }).pipe(Effect.provide(stored))

  it.effect("is when its last byte came to the disk, which the index does not know yet", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* cutOffAt(indexed({ ...begun, duration: 0, codec: "" })), at + 355_000)
    })
  )

  it.effect("is when its last file ends, where that is known: a remux writes it later", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* cutOffAt(indexed({ ...begun, duration: 350 })), at + 350_000)
    })
  )
})

describe("a recording that was cut off before a slow start", () => {
  it.effect("has its 15 s from when clients are served, which MediaMTX waits for as well", () =>
    Effect.gen(function* () {
      const served = Latch.makeUnsafe(false)
      const { given } = yield* going(served, Stream.never)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(given, [])
      yield* served.open
      yield* TestClock.adjust("14 seconds")
      assert.deepStrictEqual(given, [])
      yield* TestClock.adjust("1 second")
      assert.lengthOf(given, 1)
    }).pipe(Effect.provide(stored))
  )
})

describe("a recording that the service's end closed", () => {
  fakes.starts("goes on after the next start only where that is wished", (run, folder) =>
    Effect.gen(function* () {
      const cut = Effect.gen(function* () {
        yield* record(yield* start({ camera: yield* plugIn() }))
      })
      const next = Effect.gen(function* () {
        const told = yield* facts
        yield* plugIn()
        yield* pass(5)
        return told.map(({ _tag }) => _tag)
      })
      yield* run(folder, cut)
      assert.deepEqual(yield* run(folder, next), [])
      yield* run(folder, cut, { recording: { resume_after: "restart" } })
      assert.deepEqual(yield* run(folder, next), ["RecordingStarting", "RecordingWriting"])
      yield* run(folder, cut, { recording: { resume_after: "nothing" } })
      assert.deepEqual(yield* run(folder, next), [])
    })
  )
})
