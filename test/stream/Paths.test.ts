import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { Settings } from "../../src/config/Settings.ts"
import { mediaMtxConfig } from "../../src/process/MediaMtxConfig.ts"
import { Devices } from "../../src/device/Devices.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { PathRecorders } from "../../src/stream/PathRecorders.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { nextComparison, pathBehaviour, pathOf, pluggedPath } from "../suites/paths.ts"
import { readyStream } from "../suites/streams.ts"
import {
  bringMediaMtx,
  fakes,
  onFakes,
  plugIn,
  takeMediaMtx,
  dataFolder,
  onTestGround,
  runFake
} from "../support/App.ts"
import { listening } from "../support/Log.ts"
import { Ground, until } from "../support/Ground.ts"
import { testSettings } from "../support/TestSettings.ts"

pathBehaviour("paths over fakes", fakes)

describe("a path", () => {
  onFakes(
    "that was removed by hand is back within 30 s",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const camera = yield* pluggedPath()
      yield* api.deletePath(camera)
      yield* nextComparison
      assert.isDefined(yield* pathOf(camera))
    })
  )

  onFakes(
    "of a camera that is forgotten goes, and stays away",
    Effect.gen(function* () {
      const devices = yield* Devices
      const plugged = yield* Scope.make()
      const camera = yield* Scope.provide(pluggedPath(), plugged)
      yield* Scope.close(plugged, Exit.void)
      assert.isDefined(yield* pathOf(camera))
      yield* devices.forget(camera, "free")
      yield* until(
        "it is gone",
        Effect.map(pathOf(camera), (found) => found === undefined)
      )
      yield* nextComparison
      assert.isUndefined(yield* pathOf(camera))
    })
  )

  onFakes(
    "of a camera that is forgotten is there again when the next one comes by its name, as it is being removed too",
    Effect.gen(function* () {
      const devices = yield* Devices
      const paths = yield* Paths
      const { mediaMtx: mtx } = yield* TestGround
      const plugged = yield* Scope.make()
      const camera = yield* Scope.provide(pluggedPath(), plugged)
      yield* Scope.close(plugged, Exit.void)
      yield* mtx.disturb({ hangs: true })
      yield* devices.forget(camera, "free")
      yield* (yield* Ground).step
      assert.strictEqual(yield* plugIn(), camera)
      yield* mtx.disturb({ hangs: false })
      yield* nextComparison
      yield* nextComparison
      assert.isTrue(paths.exists(camera))
      assert.isDefined(yield* pathOf(camera))
    })
  )

  onFakes(
    "that is as it should be is left alone",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      yield* pluggedPath()
      const before = mtx.calls()
      yield* nextComparison
      yield* nextComparison
      assert.deepEqual(mtx.calls(), before)
    })
  )

  onFakes(
    "that MediaMTX made anew to send somebody away, and did not say so, is left alone, and so is who streams to it",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const recorders = yield* PathRecorders
      const camera = yield* pluggedPath()
      const told = String((yield* pathOf(camera))?.["runOnDemandStartTimeout"])
      assert.strictEqual(told, "10s")
      yield* mtx.patch(camera, { runOnDemandStartTimeout: "10001ms" })
      const stream = yield* readyStream(camera)
      yield* nextComparison
      yield* recorders.record(camera, "fmp4")
      yield* nextComparison
      assert.deepEqual(mtx.calls(), [`add ${camera}`, `replace ${camera}`])
      assert.strictEqual(stream.restarts, 0)
    })
  )

  const startTimeout = Effect.fnUntraced(function* (seconds: number) {
    const { live } = yield* Settings
    yield* SubscriptionRef.update(live, (now) => ({
      ...now,
      streams: { ...now.streams, start_timeout_seconds: Duration.seconds(seconds) }
    }))
  })
  const holdsFor = (camera: string, text: string) =>
    Effect.map(pathOf(camera), (options) => options?.["runOnDemandStartTimeout"] === text)

  onFakes(
    "follows the settings at once when nobody uses it; one that is used does when it is idle, and is not closed before",
    Effect.gen(function* () {
      const streams = yield* Streams
      const [idle, used] = [yield* pluggedPath(0), yield* pluggedPath(1)]
      const lease = yield* Scope.make()
      const stream = yield* Scope.provide(streams.lease(used, "recording"), lease)
      yield* until(
        "it streams",
        Effect.map(SubscriptionRef.get(stream.state), ({ _tag }) => _tag === "Ready")
      )
      yield* startTimeout(20)
      yield* until("the idle one follows", holdsFor(idle, "20s"))
      yield* nextComparison
      assert.isFalse(yield* holdsFor(used, "20s"))
      assert.strictEqual(stream.restarts, 0)
      yield* Scope.close(lease, Exit.void)
      yield* until(
        "the stream ends",
        Effect.sync(() => streams.current(used) === undefined)
      )
      yield* nextComparison
      yield* until("it follows, too", holdsFor(used, "20s"))
    })
  )

  onFakes(
    "of a recording keeps what the recording began with, and the next one has what is in force then",
    Effect.gen(function* () {
      const recorders = yield* PathRecorders
      const { live } = yield* Settings
      const camera = yield* pluggedPath()
      yield* recorders.record(camera, "fmp4")
      const before = yield* pathOf(camera)
      yield* SubscriptionRef.update(live, (now) => ({
        ...now,
        recording: {
          ...now.recording,
          segment_seconds: Duration.seconds(60),
          part_milliseconds: Duration.millis(500)
        }
      }))
      yield* nextComparison
      assert.deepStrictEqual(yield* pathOf(camera), before)
      yield* recorders.record(camera, undefined)
      yield* recorders.record(camera, "fmp4")
      assert.deepInclude(yield* pathOf(camera), { recordSegmentDuration: "60s", recordPartDuration: "500ms" })
    })
  )

  onFakes(
    "of ours whose camera is not known any more is removed",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { recordings } = yield* DataFolder
      const camera = yield* pluggedPath()
      const recordPath = (yield* pathOf(camera))?.["recordPath"]
      assert.isTrue(String(recordPath).startsWith(recordings))
      yield* api.addPath("camera50", { source: "publisher", recordPath: String(recordPath) })
      yield* nextComparison
      assert.isUndefined(yield* pathOf("camera50"))
    })
  )

  onFakes(
    "that MediaMTX refuses keeps no other camera waiting, and is tried again soon",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const paths = yield* Paths
      yield* takeMediaMtx
      const refused = yield* plugIn(0)
      const other = yield* plugIn(1)
      yield* (yield* Ground).step
      yield* mtx.disturb({ refusals: 1 })
      yield* bringMediaMtx
      const asked = mtx.calls().length
      const before = yield* Clock.currentTimeMillis
      yield* until(
        "both paths",
        Effect.sync(() => paths.exists(other) && paths.exists(refused))
      )
      assert.isAtMost((yield* Clock.currentTimeMillis) - before, 2000)
      // refused, the other one, and once more
      assert.deepEqual(mtx.calls().slice(asked), [`add ${refused}`, `add ${other}`, `add ${refused}`])
      assert.isDefined(yield* pathOf(refused))
    })
  )

  onFakes(
    "is waited for until MediaMTX has it",
    Effect.gen(function* () {
      const paths = yield* Paths
      yield* takeMediaMtx
      const camera = yield* plugIn()
      const waiting = yield* Effect.forkChild(paths.awaitPath(camera), { startImmediately: true })
      yield* (yield* Ground).step
      assert.isFalse(paths.exists(camera))
      assert.isUndefined(waiting.pollUnsafe())
      yield* bringMediaMtx
      yield* until(
        "the path",
        Effect.sync(() => waiting.pollUnsafe() !== undefined)
      )
      assert.isTrue(paths.exists(camera))
    })
  )
})

const auth_secret = "what-the-operators-MediaMTX-shows"
/** A MediaMTX that the operator runs on the service's ports. */
const operatorsMediaMtx = Effect.gen(function* () {
  const { outside } = (yield* TestGround).disk
  outside.write("/mediamtx.yml", new TextEncoder().encode(mediaMtxConfig(testSettings(), `mediamtx:${auth_secret}`)))
  yield* (yield* ChildProcessSpawner).spawn(ChildProcess.make("mediamtx", ["/mediamtx.yml"]))
})

describe("a path that somebody else adds", () => {
  onFakes(
    "is removed from our own MediaMTX, and told of",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const camera = yield* pluggedPath()
      for (const name of ["lobby", "camera77"]) yield* api.addPath(name, { source: "publisher", runOnInit: "true" })
      yield* nextComparison
      for (const name of ["lobby", "camera77"]) assert.isUndefined(yield* pathOf(name))
      assert.isDefined(yield* pathOf(camera))
    })
  )

  it.effect("stays in the operator's", () => {
    const body = Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const names = ["lobby", "camera77"]
      for (const name of names) yield* api.addPath(name, { source: "publisher", maxReaders: 3 })
      yield* pluggedPath()
      yield* nextComparison
      for (const name of names) assert.deepInclude(yield* pathOf(name), { maxReaders: 3 })
    })
    const service = runFake(dataFolder, body, { mediamtx: { managed: false, auth_secret } })
    return Effect.andThen(operatorsMediaMtx, service).pipe(Effect.scoped, onTestGround)
  })
})

describe("a path of the operator's own that is named like a camera", () => {
  it.effect("is left alone, is no path for that camera, and is told of once", () => {
    const { layer, lines } = listening()
    const body = Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const paths = yield* Paths
      const recorders = yield* PathRecorders
      const theirs = { source: "publisher", recordPath: "/their/%path", maxReaders: 3 }
      yield* api.addPath("camera0", theirs)
      const before = yield* pathOf("camera0")
      assert.deepInclude(before, theirs)
      const camera = yield* plugIn(0)
      const other = yield* pluggedPath(1)
      assert.strictEqual(camera, "camera0")
      yield* nextComparison
      assert.isFalse(paths.exists(camera))
      assert.isTrue(paths.exists(other))
      const failure = yield* Effect.flip(recorders.record(camera, "fmp4"))
      assert.deepInclude(failure, { dependency: "mediamtx", detail: "it has a path of this name that is not ours" })
      yield* recorders.record(camera, undefined)
      yield* nextComparison
      assert.deepEqual(yield* pathOf(camera), before)
      assert.lengthOf(
        lines.filter(({ message }) => message.includes("is not ours: it is left alone")),
        1
      )
    })
    const service = runFake(dataFolder, body, { mediamtx: { managed: false, auth_secret } })
    return Effect.andThen(operatorsMediaMtx, service).pipe(Effect.provide(layer), Effect.scoped, onTestGround)
  })
})

describe("paths that MediaMTX does not take", () => {
  it.effect("are told of once in the log, and once more when it has them", () => {
    const { layer, lines } = listening()
    const body = Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      yield* mtx.disturb({ breaks: true })
      yield* plugIn()
      yield* TestClock.adjust("30 seconds")
      yield* mtx.disturb({ breaks: false })
      yield* nextComparison
      const said = lines.filter(({ level, message }) => level !== "debug" && message.startsWith("MediaMTX's paths"))
      const [began, ended, ...more] = said.map(({ level, message }) => `${level}: ${message}`)
      assert.strictEqual(began, "warning: MediaMTX's paths could not be set: it is tried again")
      assert.strictEqual(ended, "info: MediaMTX's paths are set again")
      assert.deepEqual(more, [])
    })
    return Effect.provide(runFake(dataFolder, body), layer).pipe(onTestGround)
  })
})

describe("a recording's switch", () => {
  onFakes(
    "that cannot be turned off is told, and is off as soon as MediaMTX answers again",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const recorders = yield* PathRecorders
      const camera = yield* pluggedPath()
      yield* recorders.record(camera, "fmp4")
      yield* mtx.disturb({ breaks: true })
      const failure = yield* Effect.flip(recorders.record(camera, undefined))
      assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "mediamtx" })
      yield* (yield* Ground).step
      yield* mtx.disturb({ breaks: false })
      assert.deepInclude(yield* pathOf(camera), { record: true })
      const before = yield* Clock.currentTimeMillis
      yield* until(
        "it is off",
        Effect.map(pathOf(camera), (path) => path?.["record"] === false)
      )
      assert.isAtMost((yield* Clock.currentTimeMillis) - before, 1000)
    })
  )

  onFakes(
    "is off once MediaMTX is gone",
    Effect.gen(function* () {
      const recorders = yield* PathRecorders
      const camera = yield* pluggedPath()
      yield* recorders.record(camera, "fmp4")
      yield* takeMediaMtx
      yield* recorders.record(camera, undefined)
    })
  )

  onFakes(
    "that MediaMTX does not answer to brings no path back of a camera that was forgotten meanwhile",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const recorders = yield* PathRecorders
      const devices = yield* Devices
      const plugged = yield* Scope.make()
      const camera = yield* Scope.provide(pluggedPath(), plugged)
      yield* mtx.disturb({ hangs: true })
      const switching = yield* Effect.forkChild(Effect.flip(recorders.record(camera, "fmp4")), {
        startImmediately: true
      })
      yield* (yield* Ground).step
      yield* Scope.close(plugged, Exit.void)
      yield* devices.forget(camera, "free")
      yield* asTimePasses(Fiber.join(switching))
      yield* mtx.disturb({ hangs: false })
      yield* nextComparison
      yield* nextComparison
      assert.isUndefined(yield* pathOf(camera))
    })
  )

  onFakes(
    "that MediaMTX refuses twice is a failure of MediaMTX, and is off afterwards",
    Effect.gen(function* () {
      const { mediaMtx: mtx } = yield* TestGround
      const recorders = yield* PathRecorders
      const camera = yield* pluggedPath()
      yield* mtx.disturb({ refusals: 2 })
      const failure = yield* Effect.flip(recorders.record(camera, "fmp4"))
      assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "mediamtx" })
      yield* nextComparison
      assert.deepInclude(yield* pathOf(camera), { record: false })
    })
  )
})
