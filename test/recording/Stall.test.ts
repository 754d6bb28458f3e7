import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Disk } from "../../src/ground/Disk.ts"
import { explainStalls } from "../../src/recording/Stall.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { memoryGround } from "../storage/Workbench.ts"

it.effect("however many recordings ask why nothing is written, a disk that hangs holds one call, and answers all", () =>
  Effect.gen(function* () {
    const disk = yield* Disk
    const { suffer } = yield* MemoryDisk
    yield* disk.makeFolder("/recordings", 0o750)
    let trials = 0
    const counted = Disk.of({
      ...disk,
      create: (path, mode) =>
        Effect.suspend(() => {
          trials++
          return disk.create(path, mode)
        })
    })
    const explain = explainStalls(counted, "/recordings")
    const hung = yield* suffer({ name: "hung", calls: ["create"] })
    for (let asked = 0; asked < 3; asked++) {
      const asking = yield* Effect.forkChild(explain, { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(asking)).failure?.detail, "the disk does not answer")
    }
    assert.strictEqual(trials, 1)
    const asking = yield* Effect.forkChild(explain, { startImmediately: true })
    yield* hung.takeBack
    assert.isUndefined((yield* Fiber.join(asking)).failure)
    assert.isUndefined((yield* explain).failure)
    assert.strictEqual(trials, 2)
  }).pipe(Effect.provide(memoryGround))
)
