import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import { hour, onSettableClock } from "../../support/WallClock.ts"
import { V4l2Controls } from "../../../src/device/v4l2/V4l2Controls.ts"
import { fakeCameras } from "./ControlCalls.ts"
import { brightness, layerOf } from "./PlayedControls.ts"

/** Cameras of which some hang, and how to wait for that. */
const ward = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  const cameras = fakeCameras(Object.fromEntries(names.map((name) => [name, [brightness()]])))
  const hung = yield* Queue.unbounded<string>()
  const leaf = yield* Layer.build(layerOf(cameras)).pipe(
    Effect.flatMap((context) => Effect.provide(V4l2Controls, context))
  )
  return {
    ...cameras,
    leaf,
    /** a call to each of these cameras, every one of which hangs in the kernel */
    hangUp: Effect.fnUntraced(function* (...hanging: ReadonlyArray<string>) {
      const fibers = []
      for (const name of hanging) {
        cameras.hang(name, (at) => Queue.offerUnsafe(hung, at))
        fibers.push(yield* Effect.forkChild(Effect.flip(leaf.list(name)), { startImmediately: true }))
        assert.strictEqual(yield* Queue.take(hung), name)
      }
      return fibers
    }),
    /** waits until what was done after a revival is over */
    until: (condition: () => boolean) =>
      Effect.gen(function* () {
        while (!condition()) yield* Effect.yieldNow
      })
  }
})

describe("a camera that does not answer", () => {
  it.effect("is given up after 2 s; who comes later is told so at once, until the kernel gives it up as well", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, hangingNow, openNodes, revive, until } = yield* ward(["a"])
      const [first] = yield* hangUp("a")
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(first?.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(first && (yield* Fiber.join(first)).code, "TIMEOUT")
      for (let n = 0; n < 20; n++) assert.strictEqual((yield* Effect.flip(leaf.list("a"))).code, "TIMEOUT")
      assert.strictEqual(hangingNow(), 1)
      assert.deepStrictEqual(openNodes(), ["a"])
      revive("a")
      yield* until(() => openNodes().length === 0)
      assert.lengthOf(yield* leaf.list("a"), 1)
    })
  )

  it.effect("has its 2 s, no more and no less, also when the machine's clock is set meanwhile", () =>
    onSettableClock(
      Effect.fnUntraced(function* (setWall) {
        for (const jump of [-hour, hour]) {
          const { hangUp, leaf, revive } = yield* ward(["a"])
          const [first] = yield* hangUp("a")
          yield* TestClock.adjust("1 second")
          setWall(jump)
          // nobody has given it up: who comes now waits with the first one
          const second = yield* Effect.forkChild(Effect.result(leaf.list("a")), { startImmediately: true })
          yield* TestClock.adjust("999 millis")
          assert.isUndefined(second.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(first && (yield* Fiber.join(first)).code, "TIMEOUT")
          assert.strictEqual((yield* Effect.flip(leaf.list("a"))).code, "TIMEOUT")
          revive("a")
          assert.strictEqual((yield* Fiber.join(second))._tag, "Success")
        }
      })
    )
  )

  it.effect("does not hold up the others", () =>
    Effect.gen(function* () {
      const { hangUp, leaf } = yield* ward(["a", "b"])
      yield* hangUp("a")
      assert.lengthOf(yield* leaf.list("b"), 1)
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(yield* leaf.list("b"), 1)
    })
  )

  it.effect("is one of three at most: another one's turn comes when one of them is done", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, most, revive, until, openNodes } = yield* ward(["a", "b", "c", "d"])
      yield* hangUp("a", "b", "c")
      const fourth = yield* Effect.forkChild(Effect.flip(leaf.list("d")), { startImmediately: true })
      yield* until(() => openNodes().includes("d"))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fourth)).code, "CROWDED")
      const later = yield* Effect.forkChild(leaf.list("d"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(most(), 3)
      revive("b")
      assert.lengthOf(yield* Fiber.join(later), 1)
      assert.strictEqual(most(), 3)
    })
  )

  it.effect("is asked by those who wait when it has answered in time", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, most, revive } = yield* ward(["a"])
      yield* hangUp("a")
      const others = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(leaf.list("a"), { startImmediately: true })
      )
      yield* TestClock.adjust("1 second")
      revive("a")
      for (const fiber of others) assert.lengthOf(yield* Fiber.join(fiber), 1)
      assert.strictEqual(most(), 1)
    })
  )

  it.effect("is left alone by one who has gone away meanwhile, and answers the next", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, openNodes, revive } = yield* ward(["a"])
      const [first] = yield* hangUp("a")
      if (first !== undefined) yield* Fiber.interrupt(first)
      assert.deepStrictEqual(openNodes(), ["a"])
      const done = yield* Deferred.make<number>()
      yield* Effect.forkChild(
        Effect.flatMap(leaf.list("a"), (controls) => Deferred.succeed(done, controls.length)),
        { startImmediately: true }
      )
      revive("a")
      assert.strictEqual(yield* Deferred.await(done), 1)
    })
  )
})
