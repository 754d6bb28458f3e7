import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { DiskError } from "../../src/ground/DiskError.ts"
import type { FileState } from "../../src/ground/FileState.ts"
import { syncOpenFiles } from "../../src/recording/OpenFileSync.ts"
import { listen, statuses, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"

const pass = Effect.fnUntraced(function* (milliseconds: number) {
  for (let i = 0; i < milliseconds / 10; i++) yield* Effect.andThen(TestClock.adjust("10 millis"), settle)
})

const isSync = (call: string): boolean => /^sync .*\.mp4$/.test(call)

describe("a file that is being recorded", () => {
  onFakes(
    "is synced twice a second, and its name once",
    Effect.gen(function* () {
      const camera = yield* plugIn()
      const calls = yield* (yield* TestGround).disk.calls
      yield* record(yield* start({ camera }))
      yield* until(
        "its name's sync",
        Effect.sync(() => calls.some((call) => call.endsWith("/recordings") && call.startsWith("sync")))
      )
      const before = calls.length
      yield* pass(3000)
      const meanwhile = calls.slice(before).filter((call) => call.startsWith("sync"))
      assert.isTrue(meanwhile.every(isSync), String(meanwhile))
      assert.closeTo(meanwhile.length, 6, 1)
    })
  )

  onFakes(
    "that the disk fails to sync is given up, which is told: it is written on until the disk syncs again, then comes a new one",
    Effect.gen(function* () {
      const { disk, mediaMtx } = yield* TestGround
      const told = yield* listen
      const camera = yield* plugIn()
      const recording = yield* start({ camera })
      yield* record(recording)
      const failing = yield* disk.suffer({ name: "sync fails", at: "/recordings/" })
      yield* untilTold(told, 3)
      const [first = ""] = yield* filesOnDisk
      assert.deepInclude(told[2], { status: "ERROR", filename: first, reason: unsafe })
      const calls = yield* disk.calls
      yield* pass(5000)
      assert.isTrue((yield* mediaMtx.options(camera))?.["record"])
      yield* record(recording)
      yield* failing.takeBack
      yield* untilTold(told, 4)
      assert.deepInclude(told[3], { status: "RECORDING", reason: "the disk takes it again" })
      assert.notStrictEqual(told[3]?.filename, first)
      yield* record(recording)
      yield* until(
        "the new file is synced",
        Effect.sync(() => calls.some((call) => call.startsWith("sync") && call.includes(told[3]?.filename ?? "")))
      )
      assert.isFalse(calls.some((call) => call.startsWith("sync") && call.includes(first)))
      const { files, reason } = yield* stop(camera)
      assert.deepEqual(
        files.map(({ filename }) => filename),
        yield* filesOnDisk
      )
      assert.lengthOf(files, 2)
      assert.strictEqual(reason, unsafe)
      assert.deepEqual(statuses(told), ["STARTING", "RECORDING", "ERROR", "RECORDING", "STOPPED"])
    })
  )
})

it.effect(
  "what is being synced as it ends has failed where that sync fails, of which the kernel tells no second time",
  () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<void, DiskError>()
      const disk = Layer.mock(Disk)({
        state: () => Effect.succeed({ bytes: 4096 } as FileState),
        sync: () => Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer))
      })
      const outcome = yield* Effect.gen(function* () {
        const files = yield* syncOpenFiles(yield* Disk, "/recordings", Effect.succeed(Duration.millis(500)))
        yield* files.began("camera0.mp4", () => undefined)
        yield* Deferred.await(asked)
        const ended = yield* Effect.forkChild(files.ended("camera0.mp4"), { startImmediately: true })
        yield* Deferred.fail(answer, new DiskError({ code: "EIO", cause: new Error("EIO") }))
        return yield* Fiber.join(ended)
      }).pipe(Effect.provide(disk))
      assert.strictEqual(outcome, "cannot sync the recording: the disk reports an error")
    })
)

const unsafe = "a file may not outlive a power cut: cannot sync the recording: the disk reports an error"
