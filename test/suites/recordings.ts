import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import type { RecordingFormat } from "../../schema/Recording.ts"
import type { Devices } from "../../src/device/Devices.ts"
import type { MediaMtx } from "../../src/process/MediaMtx.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { readMp4Header } from "../../src/ground/Mp4File.ts"
import type { Recording } from "../../src/recording/Recording.ts"
import type { RecordingRequest } from "../../src/recording/Recording.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import type { Paths } from "../../src/stream/Paths.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { type Place, plugIn } from "../support/App.ts"
import { children, Ground, running, until } from "../support/Ground.ts"
import { readyStream } from "./streams.ts"

type App = Disk | Ground | Streams | Recordings | Paths | Devices | DataFolder | FileIndex | Files | MediaMtx

/** What is asked, while time passes. */
export const asTimePasses = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const asked = yield* Effect.forkChild(Effect.exit(effect), { startImmediately: true })
  return yield* yield* until(
    "the answer",
    Effect.sync(() => {
      const exit = asked.pollUnsafe()
      return exit !== undefined && Exit.isSuccess(exit) ? exit.value : undefined
    })
  )
})

export const start = Effect.fnUntraced(function* (request: RecordingRequest) {
  const recordings = yield* Recordings
  return yield* asTimePasses(recordings.start(request))
})

export const stop = Effect.fnUntraced(function* (camera: string) {
  const recordings = yield* Recordings
  return yield* asTimePasses(recordings.stop(camera))
})

/** How many of its files are whole. */
export const finishedOf = ({ segments }: Recording) => segments().filter(({ fate }) => fate._tag === "Whole").length

export const filesOnDisk = Effect.gen(function* () {
  const { recordings } = yield* DataFolder
  return [...(yield* Effect.orDie((yield* Disk).names(recordings)))].sort()
})

export const sizeOf = Effect.fnUntraced(function* (filename: string) {
  const { recordings } = yield* DataFolder
  return (yield* Effect.orDie((yield* Disk).state(join(recordings, filename)))).bytes
})

/** Lets video of about a second come to the disk. */
export const record = Effect.fnUntraced(function* ({ segments }: Recording, bytes = 10_000) {
  const filename = segments().at(-1)?.filename ?? ""
  const before = yield* sizeOf(filename)
  yield* until(
    "the file grows",
    Effect.map(sizeOf(filename), (now) => now > before + bytes)
  )
})

export const durationOnDisk = (filename: string) =>
  Effect.gen(function* () {
    const { recordings } = yield* DataFolder
    return (yield* Effect.orDie(readMp4Header(yield* Disk, join(recordings, filename))))?.duration ?? 0
  })

/** What recordings promise, on any ground. */
export const recordingBehaviour = (name: string, { starts, test }: Place<App>) =>
  describe(name, () => {
    test(
      "a recording that started has bytes on disk and stands in the list",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const recording = yield* start({ camera })
        const filename = recording.segments()[0]?.filename ?? ""
        assert.isAbove(yield* sizeOf(filename), 0)
        const index = yield* FileIndex
        assert.deepInclude(yield* index.get("recording", filename), { device: camera, duration: 0 })
      })
    )

    for (const [format, extension] of [
      ["fmp4", "mp4"],
      ["mp4", "mp4"],
      ["mkv", "mkv"],
      ["mpegts", "ts"],
      ["stanag4609", "ts"]
    ] as const satisfies ReadonlyArray<readonly [RecordingFormat, string]>) {
      test(
        `a ${format} recording that stopped is one whole file, by the name that was told first, indexed with its real duration`,
        Effect.gen(function* () {
          const index = yield* FileIndex
          const camera = yield* plugIn()
          const names = new Set<string>()
          yield* (yield* Recordings).facts.follow(({ filename }) => Effect.sync(() => names.add(filename)))
          const recording = yield* start({ camera, format })
          const told = recording.segments()[0]?.filename ?? ""
          const open = yield* index.list("recording", { limit: 50, offset: 0, devices: undefined })
          assert.deepEqual(
            open.files.map(({ filename }) => filename),
            [told]
          )
          const { contentType } = yield* (yield* Files).open("recording", told)
          assert.strictEqual(contentType, extension === "ts" ? "video/mp2t" : "video/mp4")
          yield* record(recording)
          const { files } = yield* stop(camera)
          assert.lengthOf(files, 1)
          const file = files[0]
          assert.strictEqual(file?.filename, told)
          assert.deepEqual([...names], ["", told])
          assert.isTrue(file?.filename.endsWith(`.${extension}`))
          assert.deepEqual(yield* filesOnDisk, [file?.filename])
          assert.isAbove(file?.duration ?? 0, 0.1)
          if (extension === "mp4") {
            assert.closeTo(yield* durationOnDisk(file?.filename ?? ""), file?.duration ?? 0, 0.1)
          }
          assert.strictEqual(yield* sizeOf(file?.filename ?? ""), file?.bytes)
          const listed = yield* index.list("recording", { limit: 50, offset: 0, devices: undefined })
          assert.lengthOf(listed.files, 1)
          assert.deepInclude(listed.files[0], { ...file, codec: "h264", width: 640, height: 480 })
        })
      )
    }

    test(
      "a camera that records does not start again, and one that does not has nothing to stop",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const recording = yield* start({ camera })
        const twice = yield* Effect.flip(start({ camera }))
        assert.deepInclude(twice, { _tag: "InvalidState", state: "RECORDING", allowed_states: ["STOPPED"] })
        yield* record(recording)
        yield* stop(camera)
        const again = yield* Effect.flip(stop(camera))
        assert.deepInclude(again, { _tag: "InvalidState", state: "STOPPED", allowed_states: ["RECORDING"] })
        assert.lengthOf(yield* filesOnDisk, 1)
      })
    )

    test(
      "a recording leaves the viewer's stream as it is, and a viewer who leaves does not end it",
      Effect.gen(function* () {
        const streams = yield* Streams
        const camera = yield* plugIn()
        const viewer = yield* Scope.make()
        const stream = yield* readyStream(camera).pipe(Scope.provide(viewer))
        for (const format of ["mpegts", "fmp4"] as const) {
          const recording = yield* start({ camera, format })
          yield* record(recording)
          yield* stop(camera)
        }
        const recording = yield* start({ camera })
        yield* Scope.close(viewer, Exit.void)
        assert.isTrue(yield* streams.release(camera))
        yield* record(recording)
        assert.strictEqual(stream.restarts, 0)
        assert.lengthOf(yield* children("publish"), 1)
        yield* stop(camera)
        assert.lengthOf(yield* running("publish"), 0)
      }),
      { streams: { viewer_linger_seconds: 0 } }
    )

    test(
      "a long recording goes on in new files, all named when it stops, each whole",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const recording = yield* start({ camera, format: "mkv" })
        yield* until(
          "two files are finished",
          Effect.sync(() => finishedOf(recording) >= 2)
        )
        const { files } = yield* stop(camera)
        assert.isAtLeast(files.length, 3)
        const names = files.map(({ filename }) => filename)
        assert.deepEqual(names, [...new Set(names)].sort())
        assert.deepEqual(yield* filesOnDisk, names)
        for (const { duration, filename } of files) assert.isAbove(duration, 0, filename)
      }),
      { recording: { segment_seconds: 1 } }
    )

    test(
      "a recording goes on in a new file when FFmpeg was killed",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const recording = yield* start({ camera })
        yield* record(recording)
        const [ffmpeg] = yield* running("publish")
        yield* ffmpeg?.kill ?? Effect.void
        yield* until(
          "the second file",
          Effect.sync(() => recording.segments().length === 2)
        )
        yield* record(recording)
        const { files } = yield* stop(camera)
        assert.lengthOf(files, 2)
        for (const { duration, filename } of files) assert.isAbove(duration, 0, filename)
      })
    )

    test(
      "a recording goes on in a new file when MediaMTX was killed, and what was recorded stays",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const recording = yield* start({ camera })
        yield* record(recording)
        yield* (yield* Ground).crashMediaMtx
        yield* until(
          "the second file",
          Effect.sync(() => recording.segments().length === 2)
        )
        yield* record(recording)
        const { files } = yield* stop(camera)
        assert.lengthOf(files, 2)
        assert.isAbove(files[1]?.duration ?? 0, 0)
        assert.isAbove(files[0]?.bytes ?? 0, 0)
      })
    )

    test(
      "a file that is being recorded is not deleted; when it is done it is",
      Effect.gen(function* () {
        const files = yield* Files
        const camera = yield* plugIn()
        const recording = yield* start({ camera })
        const filename = recording.segments()[0]?.filename ?? ""
        const refused = yield* Effect.flip(files.delete("recording", filename))
        assert.deepInclude(refused, { _tag: "InvalidState", state: "RECORDING" })
        yield* record(recording)
        yield* stop(camera)
        yield* files.delete("recording", filename)
        assert.lengthOf(yield* filesOnDisk, 0)
        assert.deepInclude(yield* Effect.flip(files.delete("recording", filename)), { _tag: "NotFound" })
      })
    )

    starts("a service that ends closes its recordings whole", (run, folder) =>
      Effect.gen(function* () {
        const names = yield* run(
          folder,
          Effect.gen(function* () {
            const cameras = [yield* plugIn(0), yield* plugIn(1)]
            for (const camera of cameras) yield* record(yield* start({ camera }))
            return yield* filesOnDisk
          })
        )
        assert.lengthOf(names, 2)
        yield* run(
          folder,
          Effect.gen(function* () {
            const index = yield* FileIndex
            for (const name of names) {
              assert.isAbove(yield* durationOnDisk(name), 0)
              assert.isAbove((yield* index.get("recording", name))?.duration ?? 0, 0)
            }
          })
        )
      })
    )
  })
