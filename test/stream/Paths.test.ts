import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { nextComparison, pathBehaviour, pathOf, pluggedPath } from "../suites/paths.ts"
import { fakes, onFakes, plugIn } from "../support/App.ts"
import { FakeMediaMtxApi } from "../support/FakeMediaMtxApi.ts"
import { Ground, until } from "../support/Ground.ts"

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
    "that was changed by hand is put right within 30 s, by what differs only",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const mtx = yield* FakeMediaMtxApi
      const camera = yield* pluggedPath()
      yield* api.patchPath(camera, { record: true, maxReaders: 5 })
      const before = (yield* mtx.calls).length
      yield* nextComparison
      assert.deepInclude(yield* pathOf(camera), { record: false, maxReaders: 5 })
      assert.deepEqual((yield* mtx.calls).slice(before), [`patch ${camera}`])
    })
  )

  onFakes(
    "that is as it should be is left alone",
    Effect.gen(function* () {
      const mtx = yield* FakeMediaMtxApi
      yield* pluggedPath()
      const before = yield* mtx.calls
      yield* nextComparison
      yield* nextComparison
      assert.deepEqual(yield* mtx.calls, before)
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
      const mtx = yield* FakeMediaMtxApi
      const paths = yield* Paths
      yield* mtx.setAvailable(false)
      const refused = yield* plugIn(0)
      const other = yield* plugIn(1)
      yield* (yield* Ground).step
      yield* mtx.refuseNext
      yield* mtx.setAvailable(true)
      yield* (yield* Ground).step
      assert.isTrue(paths.exists(other))
      assert.isFalse(paths.exists(refused))
      for (let i = 0; i < 100; i++) yield* (yield* Ground).step
      assert.isTrue(paths.exists(refused))
      assert.isDefined(yield* pathOf(refused))
    })
  )

  onFakes(
    "is waited for until MediaMTX has it",
    Effect.gen(function* () {
      const mtx = yield* FakeMediaMtxApi
      const paths = yield* Paths
      yield* mtx.setAvailable(false)
      const camera = yield* plugIn()
      const waiting = yield* Effect.forkChild(paths.awaitPath(camera), { startImmediately: true })
      yield* (yield* Ground).step
      assert.isFalse(paths.exists(camera))
      assert.isUndefined(waiting.pollUnsafe())
      yield* mtx.setAvailable(true)
      yield* until(
        "the path",
        Effect.sync(() => waiting.pollUnsafe() !== undefined)
      )
      assert.isTrue(paths.exists(camera))
    })
  )
})

describe("a recording's switch", () => {
  onFakes(
    "that MediaMTX refuses twice is a failure of MediaMTX, and is off afterwards",
    Effect.gen(function* () {
      const mtx = yield* FakeMediaMtxApi
      const paths = yield* Paths
      const camera = yield* pluggedPath()
      yield* mtx.refuseNext
      yield* mtx.refuseNext
      const failure = yield* Effect.flip(paths.record(camera, "fmp4"))
      assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "mediamtx" })
      yield* nextComparison
      assert.deepInclude(yield* pathOf(camera), { record: false })
    })
  )
})
