import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Devices } from "../../src/device/Devices.ts"
import type { Disk } from "../../src/ground/Disk.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import type { MediaMtx } from "../../src/process/MediaMtx.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import type { DataFolder } from "../../src/storage/DataFolder.ts"
import type { FileIndex } from "../../src/storage/FileIndex.ts"
import { PathRecorders } from "../../src/stream/PathRecorders.ts"
import { Paths } from "../../src/stream/Paths.ts"
import type { Streams } from "../../src/stream/Streams.ts"
import { type Place, plugIn } from "../support/App.ts"
import { Ground, until } from "../support/Ground.ts"
import { record, start, stop } from "./recordings.ts"

type App =
  | Disk
  | Ground
  | Streams
  | Recordings
  | Paths
  | PathRecorders
  | Devices
  | DataFolder
  | FileIndex
  | MediaMtx
  | MediaMtxApi

export const pathOf = (name: string) =>
  Effect.flatMap(MediaMtxApi, (api) =>
    Effect.map(api.listPathConfigs, (configs) => configs.find((config) => config.name === name)?.options)
  )

export const pluggedPath = Effect.fnUntraced(function* (number = 0) {
  const paths = yield* Paths
  const camera = yield* plugIn(number)
  yield* until(
    "the path",
    Effect.sync(() => paths.exists(camera))
  )
  return camera
})

/** Brings the next regular comparison about: at most 30 s away. */
export const nextComparison = Effect.gen(function* () {
  yield* (yield* Ground).step
  yield* TestClock.adjust("30 seconds")
  yield* (yield* Ground).step
})

/** What the paths promise, on any ground. */
export const pathBehaviour = (name: string, { test }: Place<App>) =>
  describe(name, () => {
    test(
      "a camera's path holds readers, lets nobody take a publisher's place, and deletes no recording",
      Effect.gen(function* () {
        const camera = yield* pluggedPath()
        const path = yield* pathOf(camera)
        assert.deepInclude(path, {
          source: "publisher",
          overridePublisher: false,
          runOnDemand: "true",
          record: false
        })
        // MediaMTX writes no time as an empty text
        assert.include(["", "0s"], path?.["recordDeleteAfter"])
      })
    )

    test(
      "a change that MediaMTX refuses, because it was poisoned by another, is made by replacing the path",
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        const recorders = yield* PathRecorders
        const camera = yield* pluggedPath()
        yield* Effect.ignore(api.patchPath(camera, { sourceOnDemand: true }))
        yield* recorders.record(camera, "mpegts")
        assert.deepInclude(yield* pathOf(camera), { record: true, recordFormat: "mpegts" })
        yield* recorders.record(camera, undefined)
        assert.deepInclude(yield* pathOf(camera), { record: false })
      })
    )

    test(
      "a path that was changed or made by hand is put right: in what we set, and in what we never set",
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        const camera = yield* pluggedPath()
        const ours = yield* pathOf(camera)
        yield* api.patchPath(camera, { record: true, maxReaders: 5, runOnRead: "touch /tmp/read" })
        // the camera comes upon a path of its name, which is when all are looked at
        yield* api.addPath("camera1", { source: "publisher", runOnReady: "touch /tmp/ready" })
        yield* pluggedPath(1)
        for (const name of [camera, "camera1"]) {
          yield* until(
            `${name} as it should be`,
            Effect.map(pathOf(name), (now) => JSON.stringify(now) === JSON.stringify(ours))
          )
        }
      })
    )

    test(
      "a path as we make it differs in nothing that we do not set from the server's default",
      Effect.gen(function* () {
        const api = yield* MediaMtxApi
        const options = (yield* pathOf(yield* pluggedPath())) ?? {}
        const defaults = yield* api.pathDefaults
        const differing = Object.keys({ ...defaults, ...options }).filter(
          (key) => JSON.stringify(defaults[key]) !== JSON.stringify(options[key])
        )
        const set = new Set(
          "source overridePublisher runOnDemand runOnDemandStartTimeout rtspDemuxMpegts record recordPath recordFormat recordPartDuration recordSegmentDuration recordDeleteAfter".split(
            " "
          )
        )
        assert.isEmpty(differing.filter((key) => !set.has(key)))
      })
    )

    test(
      "a recording is one again after MediaMTX came back",
      Effect.gen(function* () {
        const ground = yield* Ground
        const camera = yield* pluggedPath()
        yield* record(yield* start({ camera }), 1)
        yield* ground.crashMediaMtx
        yield* until(
          "the path records",
          Effect.map(
            Effect.orElseSucceed(pathOf(camera), () => undefined),
            (path) => path?.["record"] === true
          )
        )
        yield* stop(camera)
      })
    )
  })
