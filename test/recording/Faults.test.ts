import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { join } from "node:path"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { Files } from "../../src/storage/Files.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { listen, statuses, untilTold } from "../suites/interruptions.ts"
import { asTimePasses, durationOnDisk, filesOnDisk, finishedOf, record, start, stop } from "../suites/recordings.ts"
import { disturb, disturbWork, onFakes, plugIn, takeMediaMtx } from "../support/App.ts"
import { children, Ground, running, until } from "../support/Ground.ts"

const recorded = Effect.fnUntraced(function* (camera: string) {
  yield* record(yield* start({ camera }))
  return (yield* stop(camera)).files[0]?.filename ?? ""
})

const pathOf = (filename: string) => Effect.map(DataFolder, ({ recordings }) => join(recordings, filename))

/** Does something to the disk at every step until the recording has started. */
const startWhile = Effect.fnUntraced(function* (camera: string, meddle: () => void) {
  const recordings = yield* Recordings
  const { step } = yield* Ground
  const starting = yield* Effect.forkChild(recordings.start({ camera }), { startImmediately: true })
  while (starting.pollUnsafe() === undefined) {
    meddle()
    yield* step
  }
  return yield* Fiber.join(starting)
})

describe("a recording's start", () => {
  onFakes(
    "is not mistaken about its file when an older one of the camera changes meanwhile",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const old = yield* recorded(camera)
      const path = yield* pathOf(old)
      const { outside } = (yield* TestGround).disk
      const recording = yield* startWhile(camera, () => outside.write(path, new Uint8Array(0)))
      assert.notStrictEqual(recording.segments()[0]?.filename, old)
      const index = yield* FileIndex
      assert.isAbove((yield* index.get("recording", old))?.duration ?? 0, 0)
    })
  )

  onFakes(
    "succeeds when an older recording of the camera is deleted meanwhile",
    Effect.gen(function* () {
      const recordings = yield* Recordings
      const camera = yield* plugIn()
      const old = yield* recorded(camera)
      const starting = yield* Effect.forkChild(recordings.start({ camera }), { startImmediately: true })
      yield* (yield* Files).delete("recording", old)
      const recording = yield* asTimePasses(Fiber.join(starting))
      assert.deepEqual(yield* filesOnDisk, [recording.segments()[0]?.filename ?? ""])
    })
  )

  onFakes(
    "that brings no bytes is taken back: nothing runs, nothing records, and it can be tried again",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* disturb({ neverReady: true })
      const failure = yield* Effect.flip(start({ camera }))
      assert.strictEqual(failure._tag, "DependencyFailed")
      assert.lengthOf(yield* running("publish"), 0)
      assert.isFalse((yield* mtx.options(camera))?.["record"])
      yield* disturb({ neverReady: false })
      yield* record(yield* start({ camera }))
    })
  )

  onFakes(
    "tells why the stream fails",
    Effect.gen(function* () {
      yield* disturb({ failStarts: 1000 })
      const failure = yield* Effect.flip(start({ camera: yield* plugIn() }))
      assert.deepInclude(failure, { _tag: "DependencyFailed" })
      assert.include(JSON.stringify(failure), "the camera is broken")
    })
  )

  onFakes(
    "fails within 5 s while MediaMTX is away",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* takeMediaMtx
      const failure = yield* Effect.flip(start({ camera }))
      assert.deepInclude(failure, { dependency: "mediamtx", detail: "MediaMTX is not running" })
    })
  )
})

describe("recordings that are started together", () => {
  onFakes(
    "of idle cameras on a busy machine begin with the first FFmpeg of each: its path is not changed while it comes",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const recordings = yield* Recordings
      const cameras = yield* Effect.forEach([0, 1, 2, 3], plugIn)
      const { exists } = yield* Paths
      yield* until(
        "their paths",
        Effect.sync(() => cameras.every(exists))
      )
      yield* mediaMtx.disturb({ slow: "150 millis", handshake: "200 millis" })
      yield* asTimePasses(
        Effect.forEach(cameras, (camera) => recordings.start({ camera }), { concurrency: "unbounded" })
      )
      assert.lengthOf(yield* children("publish"), cameras.length)
    })
  )
})

describe("a recording's end", () => {
  onFakes(
    "comes by itself when its time is over",
    Effect.gen(function* () {
      const recordings = yield* Recordings
      const index = yield* FileIndex
      const camera = yield* plugIn()
      const recording = yield* asTimePasses(recordings.start({ camera, duration: Duration.seconds(5) }))
      const filename = recording.segments()[0]?.filename ?? ""
      yield* until(
        "its end",
        Effect.map(running("publish"), (all) => all.length === 0)
      )
      yield* until(
        "its duration in the list",
        Effect.map(index.get("recording", filename), (file) => file !== undefined && file.duration > 0)
      )
      assert.closeTo(yield* durationOnDisk(filename), 5, 0.2)
      assert.deepInclude(yield* Effect.flip(stop(camera)), { state: "STOPPED" })
    })
  )

  onFakes(
    "keeps the fMP4 where it cannot be remuxed, under the name that was told",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const { recordings } = yield* DataFolder
      yield* disturbWork({ remux: { error: `${recordings}/x.mkv: No space left on device` } })
      const recording = yield* start({ camera, format: "mkv" })
      yield* record(recording)
      const { files, reason } = yield* stop(camera)
      assert.strictEqual(files[0]?.filename, recording.segments()[0]?.filename)
      assert.match(reason ?? "", /^it is kept as it was written, as fragmented MP4: .*x.mkv: No space left on device/)
      assert.notInclude(reason, recordings)
      assert.isAbove(files[0]?.duration ?? 0, 0)
      assert.deepEqual(
        yield* filesOnDisk,
        files.map(({ filename }) => filename)
      )
    })
  )

  onFakes(
    "keeps the fMP4 where FFmpeg says that it copied it, and has not: the disk is full",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* disturbWork({ remux: "writes nothing" })
      yield* record(yield* start({ camera, format: "mkv" }))
      const { files, reason } = yield* stop(camera)
      assert.isAbove(files[0]?.bytes ?? 0, 10_000)
      assert.isAbove(files[0]?.duration ?? 0, 0)
      assert.match(reason ?? "", /^it is kept as it was written, as fragmented MP4: /)
      assert.deepEqual(yield* filesOnDisk, [files[0]?.filename ?? ""])
    })
  )

  onFakes(
    "keeps MediaMTX's own name and form where the disk renames nothing",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      const refused = yield* disk.suffer({ name: "no renames" })
      const recording = yield* start({ camera, format: "mkv" })
      yield* refused.takeBack
      yield* record(recording)
      const { files, reason } = yield* stop(camera)
      assert.match(recording.segments()[0]?.filename ?? "", /\.mp4$/)
      assert.deepEqual(
        files.map(({ filename }) => filename),
        yield* filesOnDisk
      )
      assert.strictEqual(files[0]?.filename, recording.segments()[0]?.filename)
      assert.strictEqual(reason, "it is kept as it was written, as fragmented MP4: it could not be renamed")
    })
  )

  onFakes(
    "says that storage failed when somebody removed its file, and the camera can record again",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      yield* record(recording)
      const path = yield* pathOf(recording.segments()[0]?.filename ?? "")
      const [ffmpeg] = yield* running("publish")
      yield* ffmpeg?.freeze ?? Effect.void
      ;(yield* TestGround).disk.outside.remove(path)
      const failure = yield* Effect.flip(stop(camera))
      assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "storage" })
      yield* record(yield* start({ camera }))
    })
  )

  onFakes(
    "gives the files that are left when one was removed in between",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      const first = recording.segments()[0]?.filename ?? ""
      yield* until(
        "the second file is done",
        Effect.sync(() => finishedOf(recording) === 2)
      )
      const { outside } = (yield* TestGround).disk
      outside.remove(yield* pathOf(recording.segments()[2]?.filename ?? ""))
      yield* until(
        "the fourth file",
        Effect.sync(() => recording.segments().length >= 5)
      )
      const { files } = yield* stop(camera)
      const names = files.map(({ filename }) => filename)
      assert.deepEqual(names, yield* filesOnDisk)
      assert.strictEqual(names[0], first)
    }),
    { recording: { segment_seconds: 3 } }
  )
})

describe("a file that appeared while another one was looked after", () => {
  onFakes(
    "belongs to the recording that stops",
    Effect.gen(function* () {
      const recordings = yield* Recordings
      const camera = yield* plugIn()
      yield* asTimePasses(recordings.start({ camera, format: "mkv" }))
      yield* disturbWork({ remux: "hangs" })
      yield* until(
        "the third file",
        Effect.map(filesOnDisk, (names) => names.filter((name) => !name.startsWith(".")).length >= 3)
      )
      yield* disturbWork({ remux: undefined })
      const { files } = yield* stop(camera)
      assert.isAtLeast(files.length, 3)
      assert.deepEqual(
        files.map(({ filename }) => filename),
        yield* filesOnDisk
      )
      for (const { duration } of files) assert.isAbove(duration, 0)
    }),
    { recording: { segment_seconds: 3 } }
  )
})

describe("whoever follows recordings", () => {
  onFakes(
    "hears the start, each file and the end",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const told = yield* listen
      const recording = yield* start({ camera })
      yield* record(recording)
      yield* stop(camera)
      yield* untilTold(told, 3)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED"])
      assert.strictEqual(told[0]?.filename, "")
      assert.strictEqual(told[1]?.filename, recording.segments()[0]?.filename)
      assert.isAbove(told[2]?.duration ?? 0, 0)
    })
  )

  onFakes(
    "hears why the stream was away, and goes on",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      const told = yield* listen
      const [ffmpeg] = yield* running("publish")
      yield* ffmpeg?.kill ?? Effect.void
      const update = yield* until(
        "the error",
        Effect.sync(() => told.find(({ status }) => status === "ERROR"))
      )
      assert.include(JSON.stringify(update), "SIGKILL")
      yield* until(
        "the next file",
        Effect.sync(() => recording.segments().length === 2)
      )
    })
  )
})

describe("a recording of which MediaMTX may open no file", () => {
  const reason = "cannot write the recording: too many files are open"

  onFakes(
    "says so at once, though the disk has nothing to say, and goes on when it may",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const camera = yield* plugIn()
      const told = yield* listen
      const recording = yield* start({ camera })
      yield* record(recording)
      yield* mediaMtx.disturb({ opens: "EMFILE" })
      yield* untilTold(told, 3)
      assert.deepInclude(told[2], { status: "ERROR", reason })
      assert.strictEqual(finishedOf(recording), 1)
      yield* mediaMtx.disturb({ opens: undefined })
      yield* untilTold(told, 4)
      assert.deepInclude(told[3], { status: "RECORDING", reason: "it is written again" })
      const { files } = yield* stop(camera)
      assert.deepEqual(
        files.map(({ filename }) => filename),
        yield* filesOnDisk
      )
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR", "RECORDING", "STOPPED"])
    }),
    { recording: { segment_seconds: 2 } }
  )

  onFakes(
    "does not begin, and is answered why",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* mediaMtx.disturb({ opens: "EMFILE" })
      const failure = yield* Effect.flip(start({ camera }))
      assert.deepInclude(failure, { dependency: "storage", detail: reason })
    })
  )
})
