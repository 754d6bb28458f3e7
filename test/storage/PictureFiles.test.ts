import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { Disk } from "../../src/ground/Disk.ts"
import { pictureFiles } from "../../src/storage/PictureFiles.ts"
import { memoryGround } from "./Workbench.ts"

const bytes = new Uint8Array([0xff, 0xd8, 0xff, 0xd9])

it.effect(
  "a picture is deleted while others are given more names without a pause",
  () =>
    Effect.gen(function* () {
      const disk = yield* Disk
      const folder = "/snapshots"
      yield* Effect.forkScoped(disk.makeFolder(folder, 0o700))
      yield* TestClock.adjust("1 second")
      const slow = { ...disk, link: () => Effect.sleep("2 millis"), remove: () => Effect.void }
      const { add, remove } = yield* pictureFiles(slow, folder)
      yield* Effect.forkScoped(add(bytes, join(folder, "first.jpg")))
      yield* TestClock.adjust("1 second")
      let count = 0
      const linking = Effect.forever(Effect.suspend(() => add(bytes, join(folder, `${count++}.jpg`))))
      // there is always one of them at it
      yield* Effect.forkScoped(linking)
      yield* TestClock.adjust("1 millis")
      yield* Effect.forkScoped(linking)
      yield* TestClock.adjust("1 millis")
      const removing = yield* Effect.forkScoped(remove(join(folder, "0.jpg")))
      yield* TestClock.adjust("20 millis")
      assert.isDefined(removing.pollUnsafe())
      yield* Fiber.join(removing)
      assert.isAbove(count, 10)
    }).pipe(Effect.provide(memoryGround)),
  5000
)
