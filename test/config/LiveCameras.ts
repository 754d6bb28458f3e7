import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { type Reason, Streams } from "../../src/stream/Streams.ts"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { endFfmpeg, listen, removableCamera, untilTold } from "../suites/interruptions.ts"
import { pathOf } from "../suites/paths.ts"
import { record, start } from "../suites/recordings.ts"
import { liveCamera, take } from "../suites/snapshots.ts"
import { readyStream, untilReady } from "../suites/streams.ts"
import { disturb, plugIn, plugInUsb } from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"
import type { Rows } from "./LiveRows.ts"

const publisherHas = (...words: ReadonlyArray<string>) =>
  Effect.map(children("publish"), (all) => assert.include(all.at(-1)?.args.join(" "), words.join(" ")))

/** A stream ends so many seconds after its last lease, to the second. */
const lingers = (reason: Reason, seconds: number) =>
  Effect.gen(function* () {
    const streams = yield* Streams
    const camera = yield* plugIn()
    yield* Effect.scoped(Effect.flatMap(streams.lease(camera, reason), untilReady))
    yield* TestClock.adjust(Duration.seconds(seconds - 1))
    assert.lengthOf(yield* running("publish"), 1)
    yield* TestClock.adjust("1 second")
    assert.lengthOf(yield* running("publish"), 0)
  })

/** How long a tier was tried. */
const tierTook = (tried: ReadonlyArray<{ readonly tier: number; readonly ms: number }> | undefined, tier: number) =>
  tried?.find((one) => one.tier === tier)?.ms

const connectedCameras = Effect.map(Devices, (devices) => devices.list().filter(({ status }) => status === "CONNECTED"))
const untilConnected = (count: number) =>
  until(
    `${count} cameras`,
    Effect.map(connectedCameras, (all) => all.length === count)
  )

export const cameraRows: Rows = {
  "cameras.include": (change) =>
    Effect.gen(function* () {
      yield* plugInUsb()
      yield* change(["another*"])
      yield* untilConnected(0)
    }),
  "cameras.exclude": (change) =>
    Effect.gen(function* () {
      yield* plugInUsb()
      yield* change(["uvc*"])
      yield* untilConnected(0)
      yield* change([])
      yield* untilConnected(1)
    }),
  "codec.bitrate_kbps": (change) =>
    Effect.gen(function* () {
      yield* change(900)
      yield* readyStream(yield* plugIn())
      yield* publisherHas("-b:v", "900k")
    }),
  "streams.viewer_linger_seconds": (change) => Effect.andThen(change(7), lingers("viewer", 7)),
  "streams.snapshot_linger_seconds": (change) => Effect.andThen(change(7), lingers("snapshot", 7)),
  "streams.start_timeout_seconds": (change) =>
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ neverReady: true })
      const stream = yield* streams.lease(yield* plugIn(), "viewer")
      yield* change(2)
      const waiting = yield* Effect.forkChild(Effect.flip(streams.awaitReady(stream)), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(waiting.pollUnsafe())
    }),
  "streams.stall_seconds": (change) =>
    Effect.gen(function* () {
      const stream = yield* readyStream(yield* plugIn())
      yield* until(
        "a picture",
        Effect.sync(() => stream.pictures.latest())
      )
      yield* change(20)
      yield* disturb({ frozen: true })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(stream.restarts, 0)
      yield* TestClock.adjust("10 seconds")
      assert.isAbove((yield* children("publish")).length, 1)
    }),
  "snapshots.jpeg_quality": (change) =>
    Effect.gen(function* () {
      yield* change(1)
      yield* readyStream(yield* plugIn())
      yield* publisherHas("-q:v", "31")
    }),
  "snapshots.live_timeout_seconds": (change) =>
    Effect.gen(function* () {
      const { camera } = yield* liveCamera
      yield* disturb({ noPictures: true })
      yield* TestClock.adjust("300 millis")
      yield* change(1)
      const { tiers_tried } = (yield* Effect.flip(take({ camera, maxAge: 0 }))) as { readonly tiers_tried?: [] }
      assert.strictEqual(tierTook(tiers_tried, 1), 1000)
    }),
  "snapshots.activated_timeout_seconds": (change) =>
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* disturb({ noPictures: true })
      yield* change(1)
      const { tiers_tried } = (yield* Effect.flip(take({ camera }))) as { readonly tiers_tried?: [] }
      assert.strictEqual(tierTook(tiers_tried, 2), 1000)
    }),
  "snapshots.direct_timeout_seconds": (change) =>
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* disturb({ failStarts: 1000, direct: "hangs" })
      yield* change(1)
      const { tiers_tried } = (yield* Effect.flip(take({ camera }))) as { readonly tiers_tried?: [] }
      assert.closeTo(tierTook(tiers_tried, 3) ?? 0, 1000, 100)
    }),
  "recording.format": (change) =>
    Effect.gen(function* () {
      yield* change("mpegts")
      const { segments } = yield* start({ camera: yield* plugIn() })
      assert.match(segments()[0]?.filename ?? "", /\.ts$/)
    }),
  "recording.segment_seconds": (change) =>
    Effect.gen(function* () {
      yield* change(90)
      const { camera } = yield* start({ camera: yield* plugIn() })
      assert.deepInclude(yield* pathOf(camera), { recordSegmentDuration: "90s" })
    }),
  "recording.part_milliseconds": (change) =>
    Effect.gen(function* () {
      yield* change(500)
      const { camera } = yield* start({ camera: yield* plugIn() })
      assert.deepInclude(yield* pathOf(camera), { recordPartDuration: "500ms" })
    }),
  "recording.sync_milliseconds": (change) =>
    Effect.gen(function* () {
      yield* change(250)
      const calls = yield* (yield* TestGround).disk.calls
      yield* record(yield* start({ camera: yield* plugIn() }))
      const before = calls.length
      for (let i = 0; i < 300; i++) yield* Effect.andThen(TestClock.adjust("10 millis"), settle)
      assert.closeTo(calls.slice(before).filter((call) => /^sync .*\.mp4$/.test(call)).length, 12, 1)
    }),
  "recording.resume_after": (change) =>
    Effect.gen(function* () {
      const { outside } = (yield* TestGround).disk
      const { root } = yield* DataFolder
      yield* change("nothing")
      yield* start({ camera: yield* plugIn() })
      assert.notInclude(outside.names(root), "unfinished_recordings.json")
    }),
  "recording.resume_seconds": (change) =>
    Effect.gen(function* () {
      const { camera, detach } = yield* removableCamera
      const told = yield* listen
      yield* change(2)
      yield* record(yield* start({ camera }))
      yield* detach
      yield* endFfmpeg
      yield* untilTold(told, 4)
      assert.deepInclude(told[3], { status: "STOPPED", reason: "the camera did not come back within 2 s" })
    })
}
