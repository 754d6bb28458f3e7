import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { DiskGuard } from "../../src/storage/DiskGuard.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { fileName } from "../../src/storage/Names.ts"
import { step } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { filesOnDisk, start } from "../suites/recordings.ts"
import { dataFolder, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { listeningClient } from "../support/Story.ts"
import type { Rows } from "./LiveRows.ts"

const megabyte = 1024 ** 2
const size = 6 * megabyte
/** In GB, as an operator writes it. */
const sizeOf = (files: number) => ((files * size) / 1024 ** 3).toFixed(9)
/** A minute, in days. */
const minute = (1 / 1440).toFixed(9)

/** A recording of each of two cameras, two minutes old, camera0's the older one, which nothing deletes yet. */
const twoRecordings = Effect.gen(function* () {
  const { disk } = yield* TestGround
  const names = [fileName("camera0", 0, "mp4"), fileName("camera1", 1000, "mp4")]
  for (const name of names) {
    disk.outside.write(join(dataFolder, "recordings", name), new Uint8Array(size))
    yield* TestClock.adjust("1 second")
  }
  yield* (yield* FileIndex).reconcile
  yield* TestClock.adjust("2 minutes")
  yield* step
  assert.deepStrictEqual(yield* filesOnDisk, names)
})

/** The recordings of these cameras are what is left, within a minute. */
const leaves = Effect.fnUntraced(function* (...cameras: ReadonlyArray<string>) {
  yield* TestClock.adjust("1 minute")
  yield* step
  assert.deepStrictEqual(
    (yield* filesOnDisk).map((name) => name.split("_")[0]),
    [...cameras]
  )
})

/** They are deleted for their age from then on: the clock is trusted. */
const anHourLater = Effect.andThen(TestClock.adjust("1 hour"), step)

/** A disk of which more than 1 % is used, and far more than the reserve is free. */
const largeDisk = Effect.gen(function* () {
  const { disk } = yield* TestGround
  yield* twoRecordings
  yield* disk.suffer({ name: "small", bytes: 1000 * megabyte })
})

const refusal = Effect.map(Effect.flip(start({ camera: "camera0" })), (error) =>
  "detail" in error ? error.detail : ""
)

export const storageRows: Rows = {
  "storage.max_age_days": (change) =>
    Effect.gen(function* () {
      yield* twoRecordings
      yield* anHourLater
      yield* change(Number(minute))
      yield* leaves()
    }),
  "storage.max_size_gb": (change) =>
    Effect.gen(function* () {
      yield* twoRecordings
      yield* change(Number(sizeOf(1.5)))
      yield* leaves("camera1")
    }),
  "storage.camera_max_age_days": (change) =>
    Effect.gen(function* () {
      yield* twoRecordings
      yield* anHourLater
      yield* change([`camera0=${minute}`])
      yield* leaves("camera1")
    }),
  "storage.camera_max_size_gb": (change) =>
    Effect.gen(function* () {
      yield* twoRecordings
      yield* change([`camera1=${sizeOf(0.5)}`])
      yield* leaves("camera0")
    }),
  "storage.delete_percent": (change) =>
    Effect.gen(function* () {
      yield* largeDisk
      yield* leaves("camera0", "camera1")
      yield* change(1)
      yield* leaves("camera1")
    }),
  "storage.warn_percent": (change) =>
    Effect.gen(function* () {
      const client = yield* listeningClient("admin")
      const { facts } = yield* DiskGuard
      const levels: Array<string> = []
      yield* facts.follow((fact) =>
        Effect.sync(() => {
          if (fact._tag === "SpaceLevelChanged") levels.push(fact.level)
        })
      )
      const isLow = Effect.map(client.call("get_storage_info", {}), (info) => info?.["low_space_warning"])
      yield* largeDisk
      assert.isFalse(yield* isLow)
      yield* change(1)
      assert.isTrue(yield* isLow)
      yield* until(
        "it is told",
        Effect.sync(() => levels.includes("LOW"))
      )
    }),
  "storage.refuse_percent": (change) =>
    Effect.gen(function* () {
      yield* largeDisk
      yield* plugIn()
      yield* change(1)
      assert.include(yield* refusal, "from 1 % on no recording begins")
      yield* change(100)
      yield* start({ camera: "camera0" })
    }),
  "storage.reserve_mb": (change) =>
    Effect.gen(function* () {
      yield* largeDisk
      yield* plugIn()
      yield* change(5000)
      assert.include(yield* refusal, "only the reserve of 5000 MB is left")
      yield* change(0)
      yield* start({ camera: "camera0" })
    })
}
