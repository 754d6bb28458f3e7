import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeNew } from "../../src/doctor/NewFile.ts"
import { TestGround } from "../../testing/TestGround.ts"

it.effect("a file that a full disk does not take whole is gone again, and the next try is not refused for it", () =>
  Effect.gen(function* () {
    const { outside, suffer } = (yield* TestGround).disk
    outside.makeFolder("/backups")
    yield* suffer({ name: "full", freeBytes: 3000 })
    const failed = yield* Effect.flip(writeNew("/backups/box", new Uint8Array(5000)))
    assert.include(failed.message, "/backups/box cannot be written (ENOSPC)")
    assert.isEmpty(outside.names("/backups"))
    yield* writeNew("/backups/box", new Uint8Array(100))
    assert.lengthOf(outside.read("/backups/box"), 100)
    // one that was there is left as it is
    const taken = yield* Effect.flip(writeNew("/backups/box", new Uint8Array(5)))
    assert.include(taken.message, "/backups/box is there already")
    assert.lengthOf(outside.read("/backups/box"), 100)
  }).pipe(Effect.provide(TestGround.layer))
)

it.effect("what cannot be made is told with its folder", () =>
  Effect.gen(function* () {
    const failed = yield* Effect.flip(writeNew("/nodir/x", new Uint8Array(5)))
    assert.include(failed.message, "/nodir/x cannot be written (ENOENT)")
  }).pipe(Effect.provide(TestGround.layer))
)
