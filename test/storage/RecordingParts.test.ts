import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Holds } from "../../src/storage/Holds.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { RecordingParts } from "../../src/storage/RecordingParts.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { settle } from "../../testing/PassingTime.ts"
import { fragment, init, key } from "../support/FragmentedMp4.ts"
import { indexed, memoryGround, storage } from "./Workbench.ts"

const room = RecordingParts.layer.pipe(Layer.provideMerge(storage("/data")), Layer.provideMerge(memoryGround))

const filename = "camera0_written.mp4"
const path = `/data/recordings/${filename}`
/** of 40 ms each */
const fragments = (from: number, count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => fragment((from + i) * 40, [key])))

/** It is being written, and the disk takes half a second for each read. */
const slowly = Effect.gen(function* () {
  const { outside, suffer } = yield* MemoryDisk
  outside.write(path, Buffer.concat([init, fragments(0, 20)]))
  yield* (yield* FileIndex).put(indexed({ filename, codec: "" }))
  yield* (yield* Holds).hold("recording", filename, "RECORDING")
  yield* suffer({ name: "slow", by: "500 millis", calls: ["read"] })
})

const partsOf = Effect.flatMap(RecordingParts, ({ of }) => of(filename))
const pass = Effect.fnUntraced(function* (seconds: number) {
  for (let i = 0; i < seconds * 2; i++) yield* Effect.andThen(settle, TestClock.adjust("500 millis"))
  yield* settle
})
/** What it answers within so many seconds. */
const within = Effect.fnUntraced(function* (seconds: number) {
  const asking = yield* Effect.forkChild(Effect.result(partsOf))
  yield* pass(seconds)
  return asking.pollUnsafe() === undefined ? undefined : yield* Fiber.join(asking)
})

const test = <E>(name: string, body: Effect.Effect<void, E, Layer.Success<typeof room> | Scope.Scope>) =>
  it.effect(name, () => Effect.provide(Effect.andThen(slowly, body), room))

describe("the parts of a long recording under way, on a slow disk", () => {
  test(
    "are had by who asks again, though nobody waited for the whole look",
    Effect.gen(function* () {
      const first = yield* within(5)
      assert.strictEqual(first?._tag === "Failure" ? first.failure._tag : first?._tag, "InvalidState")
      yield* pass(60)
      const { outside } = yield* MemoryDisk
      outside.write(path, fragments(20, 1))
      const second = yield* within(5)
      assert.strictEqual(second?._tag, "Success")
      if (second?._tag === "Success") assert.lengthOf(second.success.parts, 21)
    })
  )

  test(
    "are looked for once, however many ask meanwhile",
    Effect.gen(function* () {
      const { pending } = yield* MemoryDisk
      const asking = Effect.forkChild(Effect.result(partsOf))
      const all = [yield* Effect.tap(asking, pass(3)), yield* Effect.tap(asking, pass(1))]
      const reads = pending()
      yield* pass(60)
      yield* Fiber.awaitAll(all)
      assert.strictEqual(reads, 1)
    })
  )
})
