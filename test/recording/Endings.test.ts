import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { Files } from "../../src/storage/Files.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { listen, statuses, untilTold } from "../suites/interruptions.ts"
import { durationOnDisk, filesOnDisk, finishedOf, record, sizeOf, start, stop } from "../suites/recordings.ts"
import { type FakeApp, dataFolder, disturbWork, onFakes, onTestGround, plugIn, runFake } from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"

const emptyFiles = Effect.gen(function* () {
  return yield* Effect.filter(yield* filesOnDisk, (name) => Effect.map(sizeOf(name), (bytes) => bytes === 0))
})

/** Calls that wait for the disk itself; what is known of a folder is in memory. */
const writing = ["create", "append", "state", "sync"] as const

/** Milliseconds that a service takes to end after this. */
const endOf = Effect.fnUntraced(function* <E>(
  folder: string,
  body: Effect.Effect<void, E, FakeApp | Scope.Scope>,
  overrides = {}
) {
  let over = 0
  const noted = Effect.andThen(
    body,
    Effect.map(monotonicMillis, (now) => {
      over = now
    })
  )
  // cameras stay, and the disk suffers, to the end and after it
  const lasting = yield* Scope.make()
  yield* runFake(folder, Scope.provide(noted, lasting), overrides)
  return (yield* monotonicMillis) - over
})

const endsInTime = <E>(
  name: string,
  body: Effect.Effect<void, E, FakeApp | Scope.Scope>,
  {
    left = Effect.void,
    overrides = {},
    within
  }: {
    readonly left?: Effect.Effect<void, unknown, FakeApp | Scope.Scope>
    readonly overrides?: Parameters<typeof runFake>[2]
    readonly within: number
  }
) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      assert.isBelow(yield* endOf(dataFolder, body, overrides), within)
      yield* runFake(dataFolder, left)
    }).pipe(onTestGround)
  )

const allWhole = Effect.gen(function* () {
  const index = yield* FileIndex
  for (const name of yield* filesOnDisk) {
    assert.match(name, /^camera0_/)
    assert.isAbove(yield* durationOnDisk(name), 0)
    assert.isAbove((yield* index.get("recording", name))?.duration ?? 0, 0)
  }
})

/** Also a file that MediaMTX never closed. */
const allListed = Effect.gen(function* () {
  const index = yield* FileIndex
  const names = yield* filesOnDisk
  assert.lengthOf(names, 6)
  for (const name of names) assert.strictEqual((yield* index.get("recording", name))?.bytes, yield* sizeOf(name))
})

const remuxing = until(
  "a remux",
  Effect.map(running("remux"), (all) => all.length > 0)
)

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

describe("a stop", () => {
  onFakes(
    "is answered although the disk hangs",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      const hung = yield* disk.suffer({ name: "hung", calls: writing, at: ".mp4" })
      const before = yield* monotonicMillis
      const failure = yield* Effect.flip(stop(camera))
      assert.isBelow((yield* monotonicMillis) - before, 10_000)
      assert.deepInclude(failure, { dependency: "storage", detail: "the disk did not answer in time" })
      yield* hung.takeBack
      yield* record(yield* start({ camera }))
      assert.lengthOf((yield* stop(camera)).files, 1)
    })
  )

  onFakes(
    "is over with a disk that hung: the list tells of the file as it is, once the disk answers",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const index = yield* FileIndex
      const { recordings } = yield* DataFolder
      const camera = yield* plugIn()
      const { segments } = yield* start({ camera })
      const filename = segments()[0]?.filename ?? ""
      yield* until(
        "it has grown",
        Effect.sync(() => disk.outside.read(join(recordings, filename)).length > 10_000)
      )
      const hung = yield* disk.suffer({ name: "hung", calls: writing, at: ".mp4" })
      yield* Effect.flip(stop(camera))
      yield* hung.takeBack
      yield* until(
        "the list tells its bytes",
        Effect.map(
          index.get("recording", filename),
          (file) => file?.bytes === disk.outside.read(join(recordings, filename)).length
        )
      )
    })
  )

  onFakes(
    "is not needed after a start that met a disk which hung: what MediaMTX wrote all the same is listed once it answers",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const index = yield* FileIndex
      const { recordings } = yield* DataFolder
      const camera = yield* plugIn()
      const hung = yield* disk.suffer({ name: "hung" })
      assert.deepInclude(yield* Effect.flip(start({ camera })), { dependency: "storage" })
      const written = disk.outside.names(recordings).filter((name) => name.endsWith(".mp4"))
      assert.lengthOf(written, 1)
      yield* hung.takeBack
      yield* until("it is listed", index.get("recording", written[0] ?? ""))
    })
  )

  onFakes(
    "tries again to turn the recorder off, and says nothing of it when it did",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      yield* mtx.disturb({ refusals: 1 })
      const { files, reason } = yield* stop(camera)
      assert.isUndefined(reason)
      assert.isAbove(files[0]?.duration ?? 0, 0)
      assert.isFalse((yield* mtx.options(camera))?.["record"])
    })
  )

  onFakes(
    "says so when MediaMTX may write on",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      yield* mtx.disturb({ refusals: 500 })
      const before = yield* monotonicMillis
      const { files, reason } = yield* stop(camera)
      assert.isBelow((yield* monotonicMillis) - before, 10_000)
      assert.lengthOf(files, 1)
      assert.strictEqual(reason, "MediaMTX may write on for a while: invalid configuration")
    })
  )

  it.effect("says it once in the log, with its camera, however often it was tried", () =>
    Effect.gen(function* () {
      const warnings: Array<{ readonly message: unknown; readonly camera: unknown }> = []
      const logger = Logger.make(({ fiber, logLevel, message }) => {
        if (!LogLevel.isGreaterThanOrEqualTo(logLevel, "Warn")) return
        warnings.push({ message, camera: fiber.getRef(References.CurrentLogAnnotations)["camera.id"] })
      })
      const body = Effect.gen(function* () {
        const { mediaMtx: mtx } = yield* TestGround
        const camera = yield* plugIn()
        yield* record(yield* start({ camera }))
        yield* mtx.disturb({ refusals: 500 })
        yield* stop(camera)
        yield* mtx.disturb({ refusals: 0 })
      })
      yield* Effect.provide(runFake(dataFolder, body), Logger.layer([logger]))
      const ours = warnings.filter(({ message }) => JSON.stringify(message).includes("stop recording"))
      assert.lengthOf(ours, 1)
      assert.strictEqual(ours[0]?.camera, "camera0")
      // and what the comparison of all paths has to say
      assert.isAtMost(warnings.length, 3)
    }).pipe(onTestGround)
  )

  onFakes(
    "says that a file which could not be synced may be lost, and tries no second time",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const told = yield* listen
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      yield* disk.suffer({ name: "sync fails", at: ".mp4" })
      const { files, reason } = yield* stop(camera)
      assert.lengthOf(files, 1)
      assert.strictEqual(
        reason,
        "a file may not outlive a power cut: cannot sync the recording: the disk reports an error"
      )
      yield* untilTold(told, 3)
      assert.strictEqual(told[2]?.reason, reason)
    })
  )

  onFakes(
    "has no need to where the file was copied into another, which was",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      yield* record(yield* start({ camera, format: "mkv" }))
      yield* disk.suffer({ name: "sync fails", at: "/camera0" })
      const { files, reason } = yield* stop(camera)
      assert.match(files[0]?.filename ?? "", /\.mkv$/)
      assert.isUndefined(reason)
    })
  )

  onFakes(
    "answers with the files that are left when others were deleted meanwhile",
    Effect.gen(function* () {
      const store = yield* Files
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      yield* until(
        "three files that are done",
        Effect.sync(() => finishedOf(recording) === 3)
      )
      const names = recording.segments().map(({ filename }) => filename)
      const open = names.at(-1) ?? ""
      assert.deepInclude(yield* Effect.flip(store.delete("recording", open)), { state: "RECORDING" })
      for (const name of names.slice(0, 2)) yield* store.delete("recording", name)
      const { files } = yield* stop(camera)
      assert.deepEqual(
        files.map(({ filename }) => filename),
        yield* filesOnDisk
      )
      assert.notIncludeMembers(
        files.map(({ filename }) => filename),
        names.slice(0, 2)
      )
      assert.strictEqual(files[0]?.filename, names[2])
    }),
    { recording: { segment_seconds: 3 } }
  )

  onFakes(
    "leaves no file that is being remuxed to be deleted",
    Effect.gen(function* () {
      const store = yield* Files
      const recordings = yield* Recordings
      const camera = yield* plugIn()
      yield* disturbWork({ remux: "hangs" })
      const recording = yield* start({ camera, format: "mkv" })
      yield* record(recording)
      const raw = recording.segments()[0]?.filename ?? ""
      const stopping = yield* Effect.forkChild(Effect.exit(recordings.stop(camera)), { startImmediately: true })
      yield* remuxing
      assert.deepInclude(yield* Effect.flip(store.delete("recording", raw)), { state: "REMUXING" })
      const exit = yield* until(
        "the stop",
        Effect.sync(() => stopping.pollUnsafe())
      )
      // FFmpeg hangs: what MediaMTX wrote is kept
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepEqual(yield* filesOnDisk, [raw])
      assert.lengthOf(yield* children("remux"), 1)
      yield* store.delete("recording", raw)
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
