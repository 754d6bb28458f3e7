import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Devices } from "../../src/device/Devices.ts"
import { Snapshots } from "../../src/snapshot/Snapshots.ts"
import { numberOf } from "../../testing/Pictures.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { bytesOf, liveCamera, snapshotsOnDisk, take, taken } from "../suites/snapshots.ts"
import { readyStream } from "../suites/streams.ts"
import { asTimePasses } from "../suites/recordings.ts"
import { disturb, disturbWork, onFakes, plugIn, takeMediaMtx } from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"

const outcomes = (tried: ReadonlyArray<{ readonly outcome: string }>) => tried.map(({ outcome }) => outcome)

describe("a camera whose stream cannot be had", () => {
  onFakes(
    "is read directly when the stream fails, without waiting for more failures",
    Effect.gen(function* () {
      yield* disturb({ failStarts: 1000 })
      const snapshot = yield* take({ camera: yield* plugIn() })
      assert.strictEqual(snapshot.capture.name, "direct")
      assert.deepEqual(outcomes(snapshot.tried), ["the stream does not run", "the stream fails", "SUCCESS"])
      assert.isBelow(snapshot.captureMs, 2000)
    })
  )

  onFakes(
    "is read directly while MediaMTX is away",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* takeMediaMtx
      const snapshot = yield* take({ camera })
      assert.strictEqual(snapshot.capture.name, "direct")
      assert.strictEqual(snapshot.tried[1]?.outcome, "MediaMTX does not run")
      assert.isBelow(snapshot.captureMs, 5000)
    })
  )

  onFakes(
    "and whose device gives nothing either fails within 10 s, with all that was tried",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* disturb({ failStarts: 1000 })
      yield* disturb({ direct: { error: "Device or resource busy" } })
      const before = yield* Clock.currentTimeMillis
      const failure = yield* Effect.flip(take({ camera }))
      assert.isAtMost((yield* Clock.currentTimeMillis) - before, 10_000)
      assert.strictEqual(failure._tag, "DependencyFailed")
      if (failure._tag !== "DependencyFailed") return
      assert.deepEqual(
        failure.tiers_tried?.map(({ tier }) => tier),
        [1, 2, 3]
      )
      assert.include(failure.detail, "Device or resource busy")
      assert.lengthOf(yield* snapshotsOnDisk, 0)
    })
  )

  onFakes(
    "because it has never said what it delivers is told by its fault",
    Effect.gen(function* () {
      const { cameras } = yield* TestGround
      const devices = yield* Devices
      const plugged = yield* cameras.plug({ name: "UVC Camera" })
      yield* plugged.unplug
      yield* plugged.refuse
      yield* plugged.replug()
      const { id } = yield* until(
        "its fault",
        Effect.sync(() => devices.list().find(({ fault }) => fault?.kind === "NO_PERMISSION"))
      )
      const failure = yield* Effect.flip(take({ camera: id }))
      assert.include(failure.message, "the camera has a fault: the service's user may not open it")
      assert.notInclude(failure.message, "format")
    })
  )

  onFakes(
    "and whose FFmpeg hangs and ignores signals fails within 10 s too",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* takeMediaMtx
      yield* disturb({ stubborn: true })
      yield* disturb({ direct: "hangs" })
      const before = yield* Clock.currentTimeMillis
      const failure = yield* Effect.flip(take({ camera }))
      assert.isAtMost((yield* Clock.currentTimeMillis) - before, 10_000)
      assert.strictEqual(failure._tag, "DependencyFailed")
      yield* until(
        "FFmpeg is gone",
        Effect.map(running("direct"), (all) => all.length === 0)
      )
    }),
    { snapshots: { activated_timeout_seconds: 5, direct_timeout_seconds: 5 } }
  )

  onFakes(
    "is not read directly while the stream's FFmpeg holds the device",
    Effect.gen(function* () {
      yield* disturb({ noPictures: true })
      const camera = yield* plugIn()
      yield* readyStream(camera)
      const failure = yield* Effect.flip(take({ camera }))
      assert.include(JSON.stringify(failure), "the stream's FFmpeg holds the device")
      assert.lengthOf(yield* children("direct"), 0)
    })
  )

  onFakes(
    "because it is away says so, and an unknown one is not found",
    Effect.gen(function* () {
      const camera = yield* Effect.scoped(plugIn())
      const away = yield* Effect.flip(take({ camera }))
      assert.strictEqual(away._tag, "DependencyFailed")
      assert.include(JSON.stringify(away), "the camera is away")
      const unknown = yield* Effect.flip(take({ camera: "camera99" }))
      assert.deepInclude(unknown, { _tag: "NotFound", resource: "camera" })
    })
  )
})

describe("pictures that are shared", () => {
  onFakes(
    "direct captures of one camera at once are one",
    Effect.gen(function* () {
      const snapshots = yield* Snapshots
      yield* disturb({ failStarts: 1000 })
      const camera = yield* plugIn()
      const all = yield* asTimePasses(
        Effect.forEach([1, 2, 3, 4, 5], () => snapshots.take({ camera, maxAge: 0 }), { concurrency: "unbounded" })
      )
      assert.lengthOf(yield* children("direct"), 1)
      assert.strictEqual(new Set(all.map(({ filename }) => filename)).size, 5)
    })
  )

  onFakes(
    "one who gives up takes the picture from nobody else",
    Effect.gen(function* () {
      const snapshots = yield* Snapshots
      yield* disturb({ failStarts: 1000 })
      const camera = yield* plugIn()
      const first = yield* Effect.forkChild(snapshots.take({ camera, maxAge: 0 }))
      yield* until(
        "the direct capture",
        Effect.map(children("direct"), (all) => all.length === 1)
      )
      const second = yield* Effect.forkChild(snapshots.take({ camera, maxAge: 0 }), { startImmediately: true })
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      const snapshot = yield* asTimePasses(Fiber.join(second))
      assert.strictEqual(snapshot.capture.name, "direct")
    })
  )
})

describe("the picture at hand", () => {
  onFakes(
    "is the same for everybody as long as it is new enough, and is told its age",
    Effect.gen(function* () {
      const { camera } = yield* liveCamera
      const snapshots = yield* Snapshots
      yield* disturb({ noPictures: true })
      const first = yield* snapshots.take({ camera, maxAge: 1000 })
      const second = yield* snapshots.take({ camera, maxAge: 1000 })
      assert.notStrictEqual(first.filename, second.filename)
      const pictures = [yield* bytesOf(first.filename), yield* bytesOf(second.filename)].map(numberOf)
      assert.deepEqual(pictures[0], pictures[1])
      const now = yield* Clock.currentTimeMillis
      assert.strictEqual(second.ageMs, now - second.picture.captured.wall)
    })
  )

  onFakes(
    "is not taken when it is too old: the next one is, or the next way",
    Effect.gen(function* () {
      const { camera, stream } = yield* liveCamera
      yield* disturb({ noPictures: true })
      const old = stream.pictures.latest()
      yield* until(
        "it is old",
        Effect.map(Clock.currentTimeMillis, (now) => now - (old?.captured.wall ?? 0) > 500)
      )
      const waiting = yield* Effect.forkChild(take({ camera, maxAge: 100 }), { startImmediately: true })
      yield* disturb({ noPictures: false })
      const snapshot = yield* asTimePasses(Fiber.join(waiting))
      assert.isAbove(snapshot.picture.captured.wall, old?.captured.wall ?? 0)
    })
  )
})

describe("names and formats", () => {
  onFakes(
    "that are taken are refused before anything is captured, unless they may be replaced",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* disturb({ failStarts: 1000 })
      const first = yield* take({ camera, filename: "mine.jpg" })
      const before = yield* children("direct")
      assert.deepInclude(yield* Effect.flip(take({ camera, maxAge: 0, filename: "mine.jpg" })), taken)
      assert.lengthOf(yield* children("direct"), before.length)
      const old = yield* bytesOf("mine.jpg")
      const again = yield* take({ camera, maxAge: 0, filename: "mine.jpg", replaces: (owner) => owner === camera })
      assert.isAbove(again.picture.captured.wall, first.picture.captured.wall)
      assert.notDeepEqual(yield* bytesOf("mine.jpg"), old)
      assert.deepEqual(yield* snapshotsOnDisk, ["mine.jpg"])
    })
  )

  onFakes(
    "that contradict each other are refused before anything is captured",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const wrong = [
        { filename: "a.png", format: "jpg" },
        { filename: "a.jpg", format: "png" },
        { filename: "a.gif" },
        { filename: "a" }
      ] as const
      for (const request of wrong) {
        const failure = yield* Effect.flip(take({ camera, ...request }))
        assert.deepInclude(failure, { _tag: "InvalidParams", param: "filename" })
      }
      assert.lengthOf(yield* children("publish"), 0)
      assert.strictEqual((yield* take({ camera, filename: "a.jpeg", format: "jpg" })).filename, "a.jpeg")
    })
  )

  onFakes(
    "that need an FFmpeg which fails are a failure of FFmpeg, and leave no file",
    Effect.gen(function* () {
      const { camera } = yield* liveCamera
      yield* disturbWork({ convert: { error: "no space" } })
      const failure = yield* Effect.flip(take({ camera, format: "png" }))
      assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "ffmpeg" })
      assert.lengthOf(yield* snapshotsOnDisk, 0)
    })
  )
})
