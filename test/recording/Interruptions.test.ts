import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { Devices } from "../../src/device/Devices.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { millisSince, now } from "../../src/ground/Time.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { TestGround } from "../../testing/TestGround.ts"
import {
  endFfmpeg,
  interruptionBehaviour,
  interrupted,
  listen,
  removableCamera,
  statuses,
  steps,
  untilTold
} from "../suites/interruptions.ts"
import { asTimePasses, filesOnDisk, finishedOf, record, start, stop } from "../suites/recordings.ts"
import { dataFolder, disturb, fakes, onFakes, onTestGround, runFake } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"
import { listening } from "../support/Log.ts"

interruptionBehaviour("interrupted recordings over fakes", fakes)

/** What is told of a recording whose camera went away, and was back before FFmpeg ended. */
const backInTime = Effect.gen(function* () {
  const { attach, camera, detach } = yield* removableCamera
  const told = yield* listen
  yield* record(yield* start({ camera }))
  yield* detach
  yield* attach
  yield* steps(5)
  yield* endFfmpeg
  yield* untilTold(told, 4)
  return told
})

describe("a recording whose camera was unplugged", () => {
  onFakes(
    "waits no longer than it was asked to last",
    Effect.gen(function* () {
      const recordings = yield* Recordings
      const { camera, detach } = yield* removableCamera
      const told = yield* listen
      const began = yield* now
      yield* record(yield* asTimePasses(recordings.start({ camera, duration: Duration.seconds(5) })))
      yield* detach
      yield* endFfmpeg
      yield* untilTold(told, 4)
      assert.strictEqual(told[3]?.reason, "its duration is over")
      assert.closeTo(yield* millisSince(began), 5000, 1000)
    })
  )

  onFakes(
    "loses no file and names each once, at whatever moment of the gap it is stopped",
    Effect.gen(function* () {
      const { attach, camera, detach } = yield* removableCamera
      let files = 0
      for (let moment = 1; moment <= 12; moment++) {
        yield* record(yield* start({ camera, format: "mkv" }))
        yield* endFfmpeg
        yield* detach
        yield* steps(moment)
        const stopped = yield* stop(camera)
        files += stopped.files.length
        assert.lengthOf(stopped.files, 1)
        assert.match(stopped.files[0]?.filename ?? "", /\.mkv$/)
        assert.lengthOf(yield* filesOnDisk, files)
        yield* attach
      }
    })
  )

  onFakes(
    "is told once when its FFmpeg hangs",
    Effect.gen(function* () {
      const { camera, detach } = yield* removableCamera
      const told = yield* listen
      const recording = yield* start({ camera })
      yield* record(recording)
      const [ffmpeg] = yield* running("publish")
      yield* ffmpeg?.freeze ?? Effect.void
      yield* detach
      yield* untilTold(told, 3)
      assert.isFalse(ffmpeg?.running())
      assert.strictEqual(finishedOf(recording), 1)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED"])
    })
  )

  onFakes(
    "is told so when the camera was back before FFmpeg ended",
    Effect.gen(function* () {
      const told = yield* backInTime
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED", "RECORDING"])
      assert.strictEqual(told[3]?.reason, "the camera is back")
    })
  )

  it.effect(
    "stands in the log with its beginning and its end: whether the camera went away or FFmpeg alone ended",
    () => {
      const { layer, lines } = listening()
      const body = Effect.gen(function* () {
        const told = yield* backInTime
        yield* steps(100)
        yield* endFfmpeg
        yield* untilTold(told, 6)
        assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "STOPPED", "RECORDING", "ERROR", "RECORDING"])
      })
      const ofRecordings = () =>
        lines.map(({ message }) => message).filter((message) => message.startsWith("a recording "))
      return Effect.provide(runFake(dataFolder, body), layer).pipe(
        onTestGround,
        Effect.andThen(Effect.sync(ofRecordings)),
        Effect.map((said) =>
          assert.deepEqual(said, [
            "a recording is in trouble",
            "a recording goes on",
            "a recording is in trouble",
            "a recording goes on"
          ])
        )
      )
    }
  )

  onFakes(
    "goes on untold when its frames never stopped; what ends them later is told for what it is",
    Effect.gen(function* () {
      const { attach, camera, detach } = yield* removableCamera
      const told = yield* listen
      const recording = yield* start({ camera })
      yield* record(recording)
      yield* detach
      yield* attach
      yield* steps(100)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING"])
      yield* endFfmpeg
      yield* untilTold(told, 4)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR", "RECORDING"])
      assert.include(told[2]?.reason ?? "", "SIGKILL")
      assert.isFalse("reason" in (told[3] ?? {}))
    })
  )

  onFakes(
    "is told why it does not go on when the camera is back and its stream fails",
    Effect.gen(function* () {
      const { attach, told } = yield* interrupted
      yield* disturb({ failStarts: 1000 })
      yield* attach
      yield* untilTold(told, 4)
      assert.strictEqual(told[3]?.status, "ERROR")
      assert.include(told[3]?.reason ?? "", "the camera is broken")
      yield* disturb({ failStarts: 0 })
      const back = yield* until(
        "the recording goes on",
        Effect.sync(() => told.slice(3).find(({ status }) => status === "RECORDING"))
      )
      assert.strictEqual(back.reason, "the camera is back")
    })
  )

  onFakes(
    "begins to wait anew each time",
    Effect.gen(function* () {
      const { attach, camera, detach } = yield* removableCamera
      const told = yield* listen
      const recording = yield* start({ camera })
      for (let times = 1; times <= 2; times++) {
        yield* record(recording)
        yield* detach
        yield* endFfmpeg
        yield* steps(75)
        yield* attach
        yield* untilTold(told, 2 * times + 2)
      }
      yield* steps(150)
      assert.deepEqual(statuses(told).slice(2), ["STOPPED", "RECORDING", "STOPPED", "RECORDING"])
    }),
    { recording: { resume_seconds: 2 } }
  )
})

describe("a recording whose camera has a fault", () => {
  onFakes(
    "has its file finished and the fault told once, and waits without limit until the camera works",
    Effect.gen(function* () {
      const devices = yield* Devices
      const { camera } = yield* removableCamera
      const told = yield* listen
      const recording = yield* start({ camera })
      yield* record(recording)
      yield* disturb({ failStarts: 1000 })
      yield* endFfmpeg
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs (process 812)"))
      yield* untilTold(told, 3)
      assert.strictEqual(finishedOf(recording), 1)
      yield* steps(400)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR"])
      assert.include(told[2]?.reason ?? "", "opened by obs (process 812)")
      assert.deepInclude(yield* Effect.flip(start({ camera })), { state: "WAITING" })
      yield* disturb({ failStarts: 0 })
      yield* devices.recovered(camera)
      yield* untilTold(told, 4)
      assert.deepInclude(told[3], { status: "RECORDING", reason: "the camera works again" })
      assert.lengthOf((yield* stop(camera)).files, 2)
    }),
    { recording: { resume_seconds: 2 } }
  )

  onFakes(
    "that is unplugged too is told so, and waited for as long as the setting says",
    Effect.gen(function* () {
      const devices = yield* Devices
      const { camera, detach } = yield* removableCamera
      const told = yield* listen
      yield* record(yield* start({ camera }))
      yield* disturb({ failStarts: 1000 })
      yield* endFfmpeg
      yield* devices.fault(camera, faultOf("FROZEN", "it is open and sends no picture"))
      yield* untilTold(told, 3)
      yield* detach
      yield* untilTold(told, 5)
      assert.deepEqual(statuses(told).slice(2), ["ERROR", "STOPPED", "STOPPED"])
      assert.include(told[4]?.reason ?? "", "did not come back within 2 s")
    }),
    { recording: { resume_seconds: 2 } }
  )
})

describe("a recording that did not begin", () => {
  onFakes(
    "leaves no file of its own behind",
    Effect.gen(function* () {
      const recordings = yield* Recordings
      const folder = yield* DataFolder
      const { camera, detach } = yield* removableCamera
      yield* record(yield* start({ camera }))
      yield* stop(camera)
      const before = yield* filesOnDisk
      yield* disturb({ neverReady: true })
      const starting = yield* Effect.forkChild(Effect.flip(recordings.start({ camera })), { startImmediately: true })
      yield* until(
        "FFmpeg",
        Effect.map(running("publish"), (all) => all.length === 1)
      )
      const { outside } = (yield* TestGround).disk
      outside.write(join(folder.recordings, `${camera}_2030-01-01_00-00-00_000000.mp4`), new Uint8Array(0))
      yield* detach
      yield* until(
        "the answer",
        Effect.sync(() => starting.pollUnsafe())
      )
      assert.deepEqual(yield* filesOnDisk, before)
    })
  )
})
