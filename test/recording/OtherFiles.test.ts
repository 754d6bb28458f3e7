import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { makeOtherFiles } from "../../src/recording/OtherFiles.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Holds } from "../../src/storage/Holds.ts"
import { fileName } from "../../src/storage/Names.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { record, start, stop } from "../suites/recordings.ts"
import { readyStream } from "../suites/streams.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"

/** Bytes of the only recording on the disk; 0: there is none. */
const bytesOnDisk = Effect.gen(function* () {
  const { names, read } = (yield* TestGround).disk.outside
  const { recordings } = yield* DataFolder
  const name = names(recordings).find((known) => !known.startsWith("."))
  return name === undefined ? 0 : read(join(recordings, name)).length
})

const untilMore = (bytes: number) =>
  until(
    "it grows",
    Effect.map(bytesOnDisk, (now) => now > bytes)
  )

/** The only recording there is, once the index says of it what the disk does and what is in it. */
const listed = Effect.gen(function* () {
  const index = yield* FileIndex
  return yield* until(
    "it is listed as it is",
    Effect.gen(function* () {
      const [file] = (yield* index.list("recording", { limit: 1, offset: 0, devices: undefined })).files
      return file?.codec === "h264" && file.bytes === (yield* bytesOnDisk) ? file : undefined
    })
  )
})

describe("a recording that is not ours", () => {
  onFakes(
    "is looked at although a look at another one broke, which the whole folder is looked through for",
    Effect.gen(function* () {
      const index = yield* FileIndex
      const looks: Array<ReadonlyArray<string>> = []
      const look = (names: ReadonlyArray<string>) =>
        looks.push(names) === 1 ? Effect.die(new Error("the look breaks")) : index.look(names)
      let doubts = 0
      const doubt = Effect.andThen(
        Effect.sync(() => doubts++),
        index.doubt
      )
      const heard = yield* makeOtherFiles({ ...index, look, doubt }, yield* Holds)
      const names = [0, 1].map((second) => fileName("camera7", second * 1000, "mp4"))
      for (const [at, name] of names.entries()) {
        heard(name)
        yield* until(
          "it is looked at",
          Effect.sync(() => looks[at]?.includes(name) === true)
        )
      }
      assert.strictEqual(doubts, 1)
    })
  )

  onFakes(
    "is listed as it is once it is over: somebody had MediaMTX record by hand",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* readyStream(camera)
      yield* mediaMtx.patch(camera, { record: true })
      yield* untilMore(60_000)
      yield* mediaMtx.patch(camera, { record: false })
      const { bytes, device } = yield* listed
      assert.isAbove(bytes, 60_000)
      assert.strictEqual(device, camera)
    })
  )

  onFakes(
    "any more is listed as it is when MediaMTX has closed it at last",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const camera = yield* plugIn()
      yield* readyStream(camera)
      yield* record(yield* start({ camera }))
      yield* mediaMtx.disturb({ refusals: 500 })
      const [was] = (yield* stop(camera)).files
      assert.deepInclude(was, { duration: 0 })
      const told = was?.bytes ?? Number.NaN
      yield* untilMore(told + 10_000)
      yield* mediaMtx.disturb({ refusals: 0 })
      const { bytes, duration } = yield* listed
      assert.isAbove(bytes, told)
      assert.isAbove(duration, 3)
    })
  )

  onFakes(
    "is listed where somebody put it into the folder, and no more when somebody deleted it",
    Effect.gen(function* () {
      const { outside } = (yield* TestGround).disk
      const { recordings } = yield* DataFolder
      const index = yield* FileIndex
      const filename = "camera7_2026-01-02_03-04-05.mp4"
      outside.write(join(recordings, filename), new Uint8Array(500))
      assert.deepInclude(yield* listed, { filename, device: "camera7", bytes: 500, codec: "h264" })
      outside.remove(join(recordings, filename))
      yield* until(
        "it is forgotten",
        Effect.map(index.get("recording", filename), (file) => file === undefined)
      )
    })
  )

  onFakes(
    "is listed however many come at once, and forgotten however many go",
    Effect.gen(function* () {
      const { outside } = (yield* TestGround).disk
      const { recordings } = yield* DataFolder
      const index = yield* FileIndex
      const paths = Array.from({ length: 1500 }, (_, i) => join(recordings, fileName("camera7", i * 1000, "mp4")))
      const untilThereAre = (count: number) =>
        until(
          `${count} are listed`,
          Effect.map(index.totals("recording"), ({ files }) => files === count)
        )
      for (const path of paths) outside.write(path, new Uint8Array(1))
      yield* untilThereAre(1500)
      for (const path of paths) outside.remove(path)
      yield* untilThereAre(0)
    })
  )
})
