import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { readyStream, stateOf, untilReady } from "../suites/streams.ts"
import {
  dataFolder,
  disturb,
  onFakes,
  onTestGround,
  plugIn,
  plugInUsb,
  publishing,
  runFake,
  takeMediaMtx
} from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"
import { onStallingClock } from "../support/WallClock.ts"

const v4l2 = "[video4linux2,v4l2 @ 0x1] [error] "

/** What clients see of the camera: its fault's kind and detail, or its status. */
const seen = Effect.fnUntraced(function* (camera: string) {
  const { fault, status } = yield* (yield* Devices).get(camera)
  return fault === undefined ? status : `${status}: ${fault.kind}, ${fault.detail}`
})

const untilSeen = (camera: string, wanted: string) =>
  until(
    wanted,
    Effect.map(seen(camera), (found) => found === wanted)
  )

/** A stream that has given a picture. */
const shownStream = Effect.fnUntraced(function* (camera: string) {
  const stream = yield* readyStream(camera)
  yield* until(
    "a picture",
    Effect.sync(() => stream.pictures.latest())
  )
  return stream
})

const playing = Effect.map(publishing, ([process]) => process)

/** A viewer wants it, and another program has it. */
const busyCamera = Effect.gen(function* () {
  const streams = yield* Streams
  const { cameras } = yield* TestGround
  const camera = yield* plugInUsb()
  const occupied = yield* Scope.make()
  yield* cameras.at("/dev/video0")?.occupy("obs").pipe(Scope.provide(occupied)) ?? Effect.void
  const stream = yield* streams.lease(camera, "viewer")
  yield* untilSeen(camera, "ERROR: BUSY, opened by obs (process 812)")
  return { camera, stream, free: Scope.close(occupied, Exit.void) }
})

describe("a camera that another program has open", () => {
  onFakes(
    "is BUSY, and clients hear who has it",
    Effect.gen(function* () {
      const streams = yield* Streams
      const { stream } = yield* busyCamera
      assert.deepEqual(stateOf(stream), {
        _tag: "Failing",
        reason: "opened by obs (process 812)",
        isCamera: true
      })
      const failure = yield* Effect.flip(streams.awaitReady(stream))
      assert.deepInclude(failure, { dependency: "camera", detail: "opened by obs (process 812)" })
    })
  )

  onFakes(
    "and is forgotten meanwhile: its stream's end is no defect",
    Effect.gen(function* () {
      const devices = yield* Devices
      const plugged = yield* Scope.make()
      const camera = yield* Scope.provide(plugInUsb(), plugged)
      const stream = yield* readyStream(camera)
      const { cameras } = yield* TestGround
      yield* cameras.at("/dev/video0")?.occupy("obs") ?? Effect.void
      yield* Scope.close(plugged, Exit.void)
      yield* devices.forget(camera, "kept")
      const child = yield* playing
      yield* child?.end({ code: 1, stderr: `${v4l2}/dev/video0: Device or resource busy\n` }) ?? Effect.void
      const state = yield* until(
        "the end is told",
        Effect.sync(() => "reason" in stateOf(stream) && stateOf(stream))
      )
      assert.deepInclude(state, { _tag: "Failing", reason: "opened by obs (process 812)" })
    })
  )

  onFakes(
    "is left alone for 10 s at a time, and started at once when it is free",
    Effect.gen(function* () {
      const devices = yield* Devices
      const { camera, free, stream } = yield* busyCamera
      yield* TestClock.adjust("60 seconds")
      assert.isAtMost((yield* children("publish")).length, 7)
      yield* free
      const before = (yield* children("publish")).length
      yield* devices.recovered(camera)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* children("publish")).length, before + 1)
      yield* untilReady(stream)
      assert.strictEqual(yield* seen(camera), "CONNECTED")
    })
  )
})

describe("a camera that has no room on its bus", () => {
  onFakes(
    "says so, is tried again with growing pauses, and is CONNECTED when it works",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ failStarts: 3 })
      yield* disturb({ complaint: "ioctl(VIDIOC_STREAMON): No space left on device [video4linux2,v4l2 @ 0x1]" })
      const camera = yield* plugInUsb()
      const stream = yield* streams.lease(camera, "viewer")
      yield* untilSeen(camera, "ERROR: NO_BANDWIDTH, its USB bus has no room left for its stream")
      yield* untilReady(stream)
      yield* untilSeen(camera, "CONNECTED")
    })
  )
})

describe("a camera that freezes", () => {
  onFakes(
    "is FROZEN within 3 s, and no more when frames come again",
    Effect.gen(function* () {
      const camera = yield* plugInUsb()
      yield* shownStream(camera)
      yield* disturb({ frozen: true })
      yield* TestClock.adjust("1500 millis")
      assert.strictEqual(yield* seen(camera), "CONNECTED")
      yield* TestClock.adjust("1200 millis")
      assert.strictEqual(yield* seen(camera), "ERROR: FROZEN, it is open and sends no picture")
      assert.lengthOf(yield* children("publish"), 1)
      yield* disturb({ frozen: false })
      yield* TestClock.adjust("600 millis")
      assert.strictEqual(yield* seen(camera), "CONNECTED")
      assert.lengthOf(yield* children("publish"), 1)
    })
  )

  onFakes(
    "was told how old its frames are until then, by the stamps of the kernel",
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      const { run } = yield* shownStream(yield* plugInUsb())
      const process = yield* playing
      // FFmpeg has begun to read within the last second
      const stamped = ((yield* monotonicMillis) - 1000) / 1000
      process?.stderr(`[info]   Duration: N/A, start: ${stamped.toFixed(6)}, bitrate: N/A\n`)
      process?.stderr("[info]     encoder         : Lavf60.16.100\n")
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(run?.delay !== undefined && run.delay > 0 && run.delay < 1000, `${run?.delay}`)
    })
  )

  onFakes(
    "has no frames any more of which it could be told how old they are",
    Effect.gen(function* () {
      const { run } = yield* shownStream(yield* plugInUsb())
      if (run === undefined) return assert.fail("it does not run")
      run.delay = 50
      yield* disturb({ frozen: true })
      yield* TestClock.adjust("1500 millis")
      assert.strictEqual(run.delay, 50)
      yield* TestClock.adjust("1200 millis")
      assert.isUndefined(run.delay)
    })
  )

  it.effect("is FROZEN too while the service is so busy that it never looks in time", () =>
    onTestGround(
      onStallingClock((stall) =>
        runFake(
          dataFolder,
          Effect.gen(function* () {
            const camera = yield* plugInUsb()
            yield* shownStream(camera)
            yield* disturb({ frozen: true })
            for (let i = 0; i < 5; i++) {
              stall(1200)
              yield* TestClock.adjust("250 millis")
            }
            assert.strictEqual(yield* seen(camera), "ERROR: FROZEN, it is open and sends no picture")
            yield* disturb({ frozen: false })
          })
        )
      )
    )
  )

  it.effect(
    "is given five times as long while its FFmpeg waits for a CPU: a new start would load the machine more",
    () =>
      Effect.flatMap(Clock.Clock, (clock) =>
        runFake(
          dataFolder,
          Effect.gen(function* () {
            const camera = yield* plugInUsb()
            yield* shownStream(camera)
            yield* disturb({ frozen: true })
            yield* TestClock.adjust("9 seconds")
            assert.strictEqual(yield* seen(camera), "CONNECTED")
            yield* TestClock.adjust("2 seconds")
            assert.strictEqual(yield* seen(camera), "ERROR: FROZEN, it is open and sends no picture")
            assert.lengthOf(yield* children("publish"), 1)
            yield* TestClock.adjust("5 seconds")
            assert.lengthOf(yield* children("publish"), 2)
            yield* disturb({ frozen: false })
          })
        ).pipe(
          Effect.updateService(Machine, (machine) => ({
            ...machine,
            processorWait: () => clock.currentTimeMillisUnsafe()
          })),
          onTestGround
        )
      )
  )

  onFakes(
    "for longer has its FFmpeg started again, and stays FROZEN until a frame comes",
    Effect.gen(function* () {
      const camera = yield* plugInUsb()
      yield* shownStream(camera)
      yield* disturb({ neverReady: true })
      const [ffmpeg] = yield* running("publish")
      yield* ffmpeg?.freeze ?? Effect.void
      yield* TestClock.adjust("8 seconds")
      assert.lengthOf(yield* children("publish"), 2)
      assert.strictEqual(yield* seen(camera), "ERROR: FROZEN, it is open and sends no picture")
      yield* disturb({ neverReady: false })
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* seen(camera), "CONNECTED")
    })
  )

  onFakes(
    "before its first frame is FROZEN within 3 s, and is given the time that a start may take",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* disturb({ neverReady: true })
      const camera = yield* plugInUsb()
      yield* streams.lease(camera, "viewer")
      yield* until(
        "FFmpeg",
        Effect.map(running("publish"), ([child]) => child)
      )
      yield* TestClock.adjust("2900 millis")
      assert.strictEqual(yield* seen(camera), "ERROR: FROZEN, it is open and sends no picture")
      assert.lengthOf(yield* children("publish"), 1)
    })
  )

  onFakes(
    "is not blamed when it is MediaMTX that does not answer",
    Effect.gen(function* () {
      const camera = yield* plugInUsb()
      yield* shownStream(camera)
      yield* takeMediaMtx
      yield* disturb({ frozen: true })
      yield* TestClock.adjust("2900 millis")
      assert.strictEqual(yield* seen(camera), "CONNECTED")
      yield* disturb({ frozen: false })
    })
  )

  onFakes(
    "is never a synthetic one",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      yield* shownStream(camera)
      yield* disturb({ frozen: true })
      yield* TestClock.adjust("2900 millis")
      assert.strictEqual(yield* seen(camera), "CONNECTED")
      yield* disturb({ frozen: false })
    })
  )
})

describe("a camera that sends garbage", () => {
  onFakes(
    "is told from a frozen one, though FFmpeg goes on copying what it sends",
    Effect.gen(function* () {
      const camera = yield* plugInUsb()
      yield* shownStream(camera)
      const child = yield* playing
      yield* disturb({ noPictures: true })
      child?.stderr("[mjpeg @ 0x1] [error] No JPEG data found in image\n")
      yield* TestClock.adjust("2500 millis")
      assert.strictEqual(yield* seen(camera), "ERROR: WRONG_DATA, what it sends is no video")
    })
  )

  onFakes(
    "twice in a row is read in another format, where it has one",
    Effect.gen(function* () {
      const devices = yield* Devices
      const camera = yield* plugInUsb("MJPG", "YUYV")
      yield* shownStream(camera)
      yield* disturb({ noPictures: true })
      for (const starts of [1, 2]) {
        yield* until(
          `start ${starts}`,
          Effect.map(
            Effect.all([children("publish"), running("publish")]),
            ([all, alive]) => all.length === starts && alive.length === 1
          )
        )
        const child = yield* playing
        assert.include(child?.args ?? [], "mjpeg")
        child?.stderr("[mjpeg @ 0x1] [error] No JPEG data found in image\n")
        yield* TestClock.adjust("11 seconds")
      }
      yield* disturb({ noPictures: false })
      yield* untilSeen(camera, "CONNECTED")
      assert.include((yield* playing)?.args ?? [], "yuyv422")
      assert.strictEqual((yield* devices.get(camera)).fault, undefined)
    })
  )
})

describe("a camera that is pulled out while it streams", () => {
  onFakes(
    "and is back before its FFmpeg has ended keeps who asks for the stream waiting, and no more",
    Effect.gen(function* () {
      const streams = yield* Streams
      const usb = yield* Scope.make()
      const camera = yield* plugInUsb().pipe(Scope.provide(usb))
      const stream = yield* shownStream(camera)
      const child = yield* playing
      yield* Scope.close(usb, Exit.void)
      yield* plugInUsb()
      yield* child?.end({ code: 0, stderr: `${v4l2}ioctl(VIDIOC_DQBUF): No such device\n` }) ?? Effect.void
      yield* until(
        "the end is told",
        Effect.sync(() => "reason" in stateOf(stream))
      )
      const waiting = yield* Effect.forkChild(streams.awaitReady(stream), { startImmediately: true })
      yield* untilReady(stream)
      yield* Fiber.join(waiting)
    })
  )

  onFakes(
    "has no fault, and its stream waits for it to be back",
    Effect.gen(function* () {
      const devices = yield* Devices
      const streams = yield* Streams
      const usb = yield* Scope.make()
      const camera = yield* plugInUsb().pipe(Scope.provide(usb))
      const stream = yield* readyStream(camera)
      const child = yield* playing
      yield* child?.end({ code: 0, stderr: `${v4l2}ioctl(VIDIOC_DQBUF): No such device\n` }) ?? Effect.void
      const told = yield* until(
        "the end is told",
        Effect.sync(() => "reason" in stateOf(stream) && stateOf(stream))
      )
      assert.deepEqual(told, { _tag: "Failing", reason: "the camera was pulled out" })
      assert.strictEqual(yield* seen(camera), "CONNECTED")
      yield* Scope.close(usb, Exit.void)
      yield* disturb({ failStarts: 1000 })
      yield* TestClock.adjust("60 seconds")
      assert.lengthOf(yield* children("publish"), 1)
      yield* disturb({ failStarts: 0 })
      assert.strictEqual(yield* plugInUsb(), camera)
      yield* TestClock.adjust("1 millis")
      const back = yield* Effect.forkChild(streams.awaitReady(stream))
      yield* untilReady(stream)
      yield* Fiber.join(back)
      assert.strictEqual((yield* devices.get(camera)).status, "CONNECTED")
    })
  )
})
