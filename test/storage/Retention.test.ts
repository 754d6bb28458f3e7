import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { fileName } from "../../src/storage/Names.ts"
import { step } from "../../testing/PassingTime.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { jpeg, memoryGround } from "./Workbench.ts"
import {
  aMinuteLater,
  anHourLater,
  day,
  folderIsThere,
  gigabytes,
  left,
  onMemory,
  put,
  root,
  start,
  started
} from "./RetentionBench.ts"

describe("retention", () => {
  onMemory(
    "deletes nothing by itself where nothing is configured",
    Effect.gen(function* () {
      yield* folderIsThere
      const old = yield* put("camera0", 0, 10)
      yield* TestClock.setTime(start + 5000 * day)
      const { cleanUp } = yield* started()
      yield* aMinuteLater
      assert.deepInclude(yield* cleanUp, { files: 0, isOn: true, limits: "no limit is set for files" })
      assert.deepEqual(yield* left(), [old])
    })
  )

  onMemory(
    "deletes what is too old every minute, snapshots too, and tells it once",
    Effect.gen(function* () {
      yield* folderIsThere
      yield* put("camera0", 0, 10)
      yield* put("camera1", 1, 20)
      yield* put("camera1", 2, 300, "snapshot")
      const kept = yield* put("camera0", 3, 40)
      yield* TestClock.setTime(start + 9.5 * day)
      const { facts } = yield* started({ max_age_days: 7 })
      assert.lengthOf(yield* left(), 3)
      yield* anHourLater
      assert.deepEqual(yield* left(), [kept])
      assert.deepEqual(yield* left("snapshot"), [])
      assert.deepEqual(
        facts.map(({ bytes, files, reasons }) => ({ bytes, files, reasons })),
        [{ files: 3, bytes: 330, reasons: { age: 3, size: 0, room: 0 } }]
      )
    })
  )

  onMemory(
    "deletes the oldest of all cameras until the size is met, and no more",
    Effect.gen(function* () {
      yield* folderIsThere
      yield* put("camera1", 0, 100)
      yield* put("camera0", 1, 100)
      const kept = [yield* put("camera1", 2, 100), yield* put("camera0", 3, 100)]
      yield* TestClock.setTime(start + 4 * day)
      const { cleanUp } = yield* started({ max_size_gb: gigabytes(250) })
      assert.deepInclude(yield* cleanUp, { files: 2, bytes: 200, reasons: { age: 0, size: 2, room: 0 } })
      assert.deepEqual(yield* left(), kept.toSorted())
      assert.deepInclude(yield* cleanUp, { files: 0 })
    })
  )

  onMemory(
    "goes by a camera's own limits where it has some",
    Effect.gen(function* () {
      yield* folderIsThere
      const kept = [yield* put("camera0", 0, 100), yield* put("camera0", 1, 100)]
      yield* put("camera1", 0, 100)
      yield* put("camera1", 1, 100)
      kept.push(yield* put("camera1", 2, 100))
      yield* TestClock.setTime(start + 3 * day)
      const { cleanUp } = yield* started({
        max_age_days: 30,
        camera_max_size_gb: [`camera1=${gigabytes(150).toFixed(12)}`]
      })
      assert.deepInclude(yield* cleanUp, { files: 2 })
      assert.deepEqual(yield* left(), kept.toSorted())
    })
  )

  onMemory(
    "passes over what somebody holds, and takes the next",
    Effect.gen(function* () {
      yield* folderIsThere
      const held = yield* put("camera0", 0, 100)
      yield* put("camera0", 1, 100)
      const newest = yield* put("camera0", 2, 100)
      yield* TestClock.setTime(start + 3 * day)
      const { cleanUp, holds } = yield* started({ max_size_gb: gigabytes(200) })
      yield* holds.hold("recording", held, "DOWNLOADING")
      assert.deepInclude(yield* cleanUp, { files: 1, inUse: 1 })
      assert.deepEqual(yield* left(), [held, newest])
    })
  )

  onMemory(
    "takes files away from who downloads more than four: who may only look must not fill the disk",
    Effect.gen(function* () {
      yield* folderIsThere
      const names: Array<string> = []
      for (let i = 0; i < 8; i++) names.push(yield* put("camera0", i, 100))
      yield* TestClock.setTime(start + 9 * day)
      const { cleanUp, holds } = yield* started({ max_size_gb: gigabytes(100) })
      const taken: Array<string> = []
      for (const name of names) {
        const hold = yield* holds.hold("recording", name, "DOWNLOADING")
        yield* Effect.forkScoped(
          Effect.andThen(
            hold.taken,
            Effect.sync(() => taken.push(name))
          )
        )
      }
      assert.deepInclude(yield* cleanUp, { files: 4, inUse: 4 })
      assert.deepEqual(yield* left(), names.slice(0, 4))
      yield* step
      assert.deepEqual(taken, names.slice(4))
    })
  )

  onMemory(
    "never takes a file that is written, however many are downloaded",
    Effect.gen(function* () {
      yield* folderIsThere
      const names: Array<string> = []
      for (let i = 0; i < 6; i++) names.push(yield* put("camera0", i, 100))
      yield* TestClock.setTime(start + 9 * day)
      const { cleanUp, holds } = yield* started({ max_size_gb: gigabytes(100) })
      for (const name of names) yield* holds.hold("recording", name, "DOWNLOADING")
      for (const name of names.slice(4)) yield* holds.hold("recording", name, "RECORDING")
      assert.deepInclude(yield* cleanUp, { files: 0, inUse: 6 })
      assert.deepEqual(yield* left(), names)
    })
  )

  onMemory(
    "touches no file that the index does not own",
    Effect.gen(function* () {
      yield* folderIsThere
      const { outside } = yield* MemoryDisk
      for (const name of ["notes.txt", "who.mp4", ".hidden.mp4"]) outside.write(join(root, "recordings", name), jpeg)
      yield* put("camera0", 0, 10)
      yield* TestClock.setTime(start + 400 * day)
      const { cleanUp } = yield* started({ max_age_days: 1 })
      assert.deepInclude(yield* cleanUp, { files: 1 })
      assert.deepEqual(yield* left(), [".hidden.mp4", "notes.txt", "who.mp4"])
    })
  )

  onMemory(
    "goes on behind a file that cannot be deleted, and says so when the disk deletes nothing",
    Effect.gen(function* () {
      yield* folderIsThere
      for (let i = 0; i < 20; i++) yield* put("camera0", i, 10)
      yield* TestClock.setTime(start + 400 * day)
      const { cleanUp } = yield* started({ max_age_days: 1 })
      const { suffer } = yield* MemoryDisk
      const { takeBack } = yield* suffer({ name: "read-only" })
      assert.deepInclude(yield* Effect.flip(cleanUp), {
        dependency: "storage",
        detail: "cannot delete the recording: the file system is read-only"
      })
      yield* takeBack
      assert.deepInclude(yield* cleanUp, { files: 20 })
    })
  )
})

describe("a policy", () => {
  onMemory(
    "takes effect at once, and outlives a restart",
    Effect.gen(function* () {
      yield* folderIsThere
      yield* put("camera0", 0, 10)
      const second = yield* put("camera0", 5, 10)
      yield* TestClock.setTime(start + 9 * day)
      const first = yield* started({ max_age_days: 1000 })
      yield* anHourLater
      yield* first.setPolicy({ policy_type: "age", enabled: true, max_age_days: 7 }, undefined)
      yield* step
      assert.deepEqual(yield* left(), [second])
      yield* first.stop
      yield* TestClock.setTime(start + 13 * day)
      yield* started({ max_age_days: 1000 })
      yield* anHourLater
      assert.deepEqual(yield* left(), [])
    })
  )

  onMemory(
    "of one camera leaves the others'",
    Effect.gen(function* () {
      yield* folderIsThere
      yield* put("camera0", 0, 10)
      const other = yield* put("camera1", 0, 10)
      yield* TestClock.setTime(start + 9 * day)
      const { setPolicy } = yield* started()
      yield* anHourLater
      yield* setPolicy({ policy_type: "age", enabled: true, max_age_days: 7 }, "camera0")
      yield* step
      assert.deepEqual(yield* left(), [other])
    })
  )

  onMemory(
    "that lacks its limit is refused, and the one before stays in force",
    Effect.gen(function* () {
      yield* folderIsThere
      yield* put("camera0", 0, 10)
      yield* TestClock.setTime(start + 9 * day)
      const { cleanUp, setPolicy } = yield* started()
      yield* setPolicy({ policy_type: "age", enabled: false }, undefined)
      for (const [policy_type, param] of [
        ["age", "max_age_days"],
        ["size", "max_size_gb"]
      ] as const) {
        const flaw = yield* Effect.flip(setPolicy({ policy_type, enabled: true }, undefined))
        assert.deepInclude(flaw, { _tag: "InvalidParams", param })
      }
      assert.deepInclude(yield* cleanUp, { isOn: false, files: 0 })
    })
  )

  onMemory(
    "that the disk does not take is not in force",
    Effect.gen(function* () {
      yield* folderIsThere
      yield* put("camera0", 0, 10)
      yield* TestClock.setTime(start + 9 * day)
      const { cleanUp, setPolicy } = yield* started()
      const { suffer } = yield* MemoryDisk
      const { takeBack } = yield* suffer({ name: "full" })
      const policy = { policy_type: "age", enabled: true, max_age_days: 1 } as const
      assert.deepInclude(yield* Effect.flip(setPolicy(policy, undefined)), { _tag: "DependencyFailed" })
      yield* takeBack
      assert.deepInclude(yield* cleanUp, { files: 0 })
    })
  )

  onMemory(
    "that cannot be read any more deletes nothing",
    Effect.gen(function* () {
      yield* folderIsThere
      const old = yield* put("camera0", 0, 10)
      const { outside } = yield* MemoryDisk
      outside.write(join(root, "retention.json"), new TextEncoder().encode("{"))
      yield* TestClock.setTime(start + 99 * day)
      const { cleanUp } = yield* started({ max_age_days: 1 })
      assert.deepInclude(yield* cleanUp, { isOn: false, files: 0 })
      assert.deepEqual(yield* left(), [old])
    })
  )
})

describe("10,000 files", () => {
  it.effect("are deleted a few at a time: others have their turn in between", () =>
    Effect.gen(function* () {
      yield* folderIsThere
      const { calls, outside } = yield* MemoryDisk
      yield* TestClock.setTime(start)
      for (let i = 0; i < 10_000; i++) {
        outside.write(join(root, "recordings", fileName(`camera${i % 4}`, start + i, "mp4")), new Uint8Array(1))
      }
      yield* TestClock.setTime(start + 2 * day)
      const { cleanUp, index } = yield* started({ max_age_days: 1 })
      assert.strictEqual((yield* index.totals("recording")).files, 10_000)
      const log = yield* calls
      let most = 0
      let before = log.length
      const turns = yield* Effect.forkChild(
        Effect.forever(
          Effect.promise(
            () =>
              new Promise<void>((resolve) =>
                setImmediate(() => {
                  most = Math.max(most, log.length - before)
                  before = log.length
                  resolve()
                })
              )
          )
        )
      )
      assert.deepInclude(yield* cleanUp, { files: 10_000 })
      yield* Fiber.interrupt(turns)
      assert.deepEqual(yield* left(), [])
      assert.isAbove(most, 0)
      assert.isAtMost(most, 10)
    }).pipe(Effect.provide(memoryGround))
  )
})
