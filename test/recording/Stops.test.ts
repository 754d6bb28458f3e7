import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { join } from "node:path"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { Files } from "../../src/storage/Files.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { listen, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, finishedOf, record, start, stop } from "../suites/recordings.ts"
import { listening } from "../support/Log.ts"
import { dataFolder, disturbWork, onFakes, onTestGround, plugIn, runFake } from "../support/App.ts"
import { children, until } from "../support/Ground.ts"
import { remuxing, writing } from "./EndingsBench.ts"

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
      const { layer, lines } = listening()
      const body = Effect.gen(function* () {
        const { mediaMtx: mtx } = yield* TestGround
        const camera = yield* plugIn()
        yield* record(yield* start({ camera }))
        yield* mtx.disturb({ refusals: 500 })
        yield* stop(camera)
        yield* mtx.disturb({ refusals: 0 })
      })
      yield* Effect.provide(runFake(dataFolder, body), layer)
      const warnings = lines.filter(({ level }) => ["warning", "error", "fatal"].includes(level))
      const ours = warnings.filter(({ message }) => message.includes("stop recording"))
      assert.lengthOf(ours, 1)
      assert.strictEqual(ours[0]?.["camera.id"], "camera0")
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
