import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { RecordingFormat, RecordingStatusUpdate } from "../../schema/Recording.ts"
import type { Devices } from "../../src/device/Devices.ts"
import type { Disk } from "../../src/ground/Disk.ts"
import type { MediaMtx } from "../../src/process/MediaMtx.ts"
import { recordingUpdate } from "../../src/rpc/RecordingUpdate.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import type { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import type { Paths } from "../../src/stream/Paths.ts"
import type { Streams } from "../../src/stream/Streams.ts"
import { type Place, plugIn } from "../support/App.ts"
import { Ground, running, until } from "../support/Ground.ts"
import { filesOnDisk, record, start, stop } from "./recordings.ts"

type App = Disk | Ground | Streams | Recordings | Paths | Devices | DataFolder | FileIndex | MediaMtx

/** A camera that can be pulled out and put back in. */
export const removableCamera = Effect.gen(function* () {
  let plugged = yield* Scope.make()
  const camera = yield* plugIn().pipe(Scope.provide(plugged))
  return {
    camera,
    /** what the kernel tells */
    detach: Effect.suspend(() => Scope.close(plugged, Exit.void)),
    attach: Effect.gen(function* () {
      plugged = yield* Scope.make()
      yield* plugIn().pipe(Scope.provide(plugged))
    })
  }
})

/** An FFmpeg whose camera is gone ends. */
export const endFfmpeg = Effect.flatMap(running("publish"), ([ffmpeg]) => ffmpeg?.kill ?? Effect.void)

export const steps = (count: number) => Effect.flatMap(Ground, ({ step }) => Effect.repeat(step, { times: count - 1 }))

/** All that clients are told from now on. */
export const listen = Effect.gen(function* () {
  const recordings = yield* Recordings
  const told: Array<RecordingStatusUpdate> = []
  yield* recordings.facts.follow((fact) => Effect.sync(() => told.push(recordingUpdate(fact))))
  return told
})

export const statuses = (told: ReadonlyArray<RecordingStatusUpdate>) => told.map(({ status }) => status)

export const untilTold = (told: ReadonlyArray<RecordingStatusUpdate>, count: number) =>
  until(
    `update ${count}`,
    Effect.sync(() => told.length >= count)
  )

/** A recording whose camera has been pulled out, which has been told. */
export const interrupted = Effect.gen(function* () {
  const { attach, camera, detach } = yield* removableCamera
  const told = yield* listen
  yield* record(yield* start({ camera }))
  yield* detach
  yield* endFfmpeg
  yield* untilTold(told, 3)
  return { attach, camera, told }
})

const unpluggedReason = "the camera was unplugged; the recording goes on by itself if it is back within 60 s"

/** What is promised of a recording whose camera goes away, on any ground. */
export const interruptionBehaviour = (name: string, { starts, test }: Place<App>) =>
  describe(name, () => {
    for (const [format, extension] of [
      ["fmp4", "mp4"],
      ["mkv", "mkv"],
      ["mpegts", "ts"]
    ] as const satisfies ReadonlyArray<readonly [RecordingFormat, string]>) {
      test(
        `an unplugged camera's ${format} file is whole at once, and the recording goes on in a new one when it is back`,
        Effect.gen(function* () {
          const index = yield* FileIndex
          const { attach, camera, detach } = yield* removableCamera
          const told = yield* listen
          const recording = yield* start({ camera, format })
          yield* record(recording)
          yield* detach
          yield* endFfmpeg
          yield* untilTold(told, 3)
          const [first = ""] = yield* filesOnDisk
          assert.isTrue(first.endsWith(`.${extension}`))
          assert.deepInclude(told[2], { status: "STOPPED", filename: first, reason: unpluggedReason })
          assert.isAbove(told[2]?.duration ?? 0, 0)
          assert.deepEqual(yield* filesOnDisk, [first])
          assert.isAbove((yield* index.get("recording", first))?.duration ?? 0, 0.1)
          yield* attach
          yield* untilTold(told, 4)
          const second = recording.segments()[1]?.filename ?? ""
          assert.deepInclude(told[3], { status: "RECORDING", filename: second, reason: "the camera is back" })
          yield* record(recording)
          const { files } = yield* stop(camera)
          assert.deepEqual(
            files.map(({ filename }) => filename),
            yield* filesOnDisk
          )
          assert.lengthOf(files, 2)
          for (const { duration, filename } of files) assert.isAbove(duration, 0.1, filename)
          assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED", "RECORDING", "STOPPED"])
        })
      )
    }

    test(
      "an FFmpeg that ends before the kernel says that its camera is gone makes no other story",
      Effect.gen(function* () {
        const { attach, camera, detach } = yield* removableCamera
        const told = yield* listen
        yield* record(yield* start({ camera }))
        yield* endFfmpeg
        yield* steps(5)
        yield* detach
        yield* untilTold(told, 3)
        yield* attach
        yield* untilTold(told, 4)
        assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED", "RECORDING"])
        assert.strictEqual(told[2]?.reason, unpluggedReason)
      })
    )

    test(
      "each time a camera was away makes one more file of the same recording",
      Effect.gen(function* () {
        const { attach, camera, detach } = yield* removableCamera
        const told = yield* listen
        const recording = yield* start({ camera })
        for (let times = 1; times <= 3; times++) {
          yield* record(recording)
          yield* detach
          yield* endFfmpeg
          yield* untilTold(told, 2 * times + 1)
          yield* attach
          yield* untilTold(told, 2 * times + 2)
        }
        yield* record(recording)
        const { files } = yield* stop(camera)
        assert.lengthOf(files, 4)
        assert.deepEqual(yield* filesOnDisk, files.map(({ filename }) => filename).sort())
        for (const { duration, filename } of files) assert.isAbove(duration, 0.1, filename)
        const round = ["STOPPED", "RECORDING"]
        assert.deepEqual(statuses(told), ["STARTING", "RECORDING", ...round, ...round, ...round, "STOPPED"])
      })
    )

    test(
      "a camera that does not come back in time ends its recording, and can record again later",
      Effect.gen(function* () {
        const { attach, camera, detach } = yield* removableCamera
        const told = yield* listen
        yield* record(yield* start({ camera }))
        yield* detach
        yield* endFfmpeg
        yield* untilTold(told, 4)
        assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED", "STOPPED"])
        assert.strictEqual(told[3]?.reason, "the camera did not come back within 2 s")
        assert.strictEqual(told[3]?.filename, told[2]?.filename)
        assert.deepInclude(yield* Effect.flip(stop(camera)), { _tag: "InvalidState", state: "STOPPED" })
        assert.deepInclude(yield* Effect.flip(start({ camera })), { _tag: "InvalidState", state: "DISCONNECTED" })
        yield* attach
        yield* record(yield* start({ camera }))
        yield* stop(camera)
        assert.lengthOf(yield* filesOnDisk, 2)
      }),
      { recording: { resume_seconds: 2 } }
    )

    test(
      "a recording that waits for its camera is not started again, and stops with the files it has",
      Effect.gen(function* () {
        const { camera, told } = yield* interrupted
        const twice = yield* Effect.flip(start({ camera }))
        assert.deepInclude(twice, { _tag: "InvalidState", state: "WAITING", allowed_states: ["STOPPED"] })
        const { files } = yield* stop(camera)
        assert.lengthOf(files, 1)
        assert.isAbove(files[0]?.duration ?? 0, 0.1)
        assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED", "STOPPED"])
      })
    )

    test(
      "a recording that may not wait ends with its camera",
      Effect.gen(function* () {
        const { camera, told } = yield* interrupted
        assert.deepInclude(told[2], { status: "STOPPED", reason: "the camera was unplugged" })
        assert.deepInclude(yield* Effect.flip(stop(camera)), { _tag: "InvalidState", state: "STOPPED" })
        const index = yield* FileIndex
        const [file = ""] = yield* filesOnDisk
        assert.isAbove((yield* index.get("recording", file))?.duration ?? 0, 0.1)
        assert.lengthOf(told, 3)
      }),
      { recording: { resume_seconds: 0 } }
    )

    test(
      "a camera that is gone before anything is on disk fails the start at once, and leaves nothing",
      Effect.gen(function* () {
        const { camera, detach } = yield* removableCamera
        const recordings = yield* Recordings
        const told = yield* listen
        const starting = yield* Effect.forkChild(Effect.flip(recordings.start({ camera })), { startImmediately: true })
        yield* until(
          "FFmpeg",
          Effect.map(running("publish"), (all) => all.length === 1)
        )
        yield* detach
        const failure = yield* until(
          "the answer",
          Effect.sync(() => {
            const exit = starting.pollUnsafe()
            return exit !== undefined && Exit.isSuccess(exit) ? exit.value : undefined
          })
        )
        assert.deepInclude(failure, {
          _tag: "DependencyFailed",
          dependency: "camera",
          detail: "the camera was unplugged"
        })
        assert.deepEqual(statuses(told), ["STARTING", "ERROR"])
        assert.strictEqual(told[1]?.reason, "the camera was unplugged")
        assert.lengthOf(yield* running("publish"), 0)
        assert.lengthOf(yield* filesOnDisk, 0)
        assert.deepInclude(yield* Effect.flip(stop(camera)), { _tag: "InvalidState", state: "STOPPED" })
      })
    )

    starts("a service that ends while a recording waits for its camera leaves the files whole", (run, folder) =>
      Effect.gen(function* () {
        const names = yield* run(
          folder,
          Effect.gen(function* () {
            const { camera, detach } = yield* removableCamera
            const told = yield* listen
            yield* record(yield* start({ camera }))
            yield* detach
            yield* endFfmpeg
            yield* untilTold(told, 3)
            return yield* filesOnDisk
          })
        )
        yield* run(
          folder,
          Effect.gen(function* () {
            const index = yield* FileIndex
            assert.deepEqual(yield* filesOnDisk, names)
            assert.lengthOf(names, 1)
            assert.isAbove((yield* index.get("recording", names[0] ?? ""))?.duration ?? 0, 0.1)
          })
        )
      })
    )
  })
