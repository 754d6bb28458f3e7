import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { simulate } from "../../testing/Simulator.ts"

/** Fibers that are ready at once, in the order in which they had their turns. */
const order = Effect.gen(function* () {
  const turns: Array<number> = []
  yield* Effect.forEach(
    [1, 2, 3, 4, 5, 6, 7, 8],
    (number) =>
      Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => turns.push(number))
      ),
    { concurrency: "unbounded" }
  )
  return turns.join("")
})

const valueOf = async <A, E>(seed: number, effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(await simulate(seed, () => effect))

describe("the simulator", () => {
  it("takes what is ready in an order that its seed decides, always the same", async () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed + 1)
    const once = []
    const again = []
    for (const seed of seeds) once.push(await valueOf(seed, order))
    for (const seed of seeds) again.push(await valueOf(seed, order))
    assert.deepEqual(again, once)
    assert.isAbove(new Set(once).size, 5)
    assert.include(once, "12345678")
  })

  it("lets hours pass at once when nothing else is left to do", async () => {
    const passed = await valueOf(
      1,
      Effect.flatMap(Effect.sleep("5 hours"), () => Clock.monotonicTimeNanos)
    )
    assert.isAbove(Number(passed) / 1e9, 5 * 3600)
  })

  it("wakes who was due once each, in an order that its seed decides, when hours were passed over", async () => {
    const wokenOf = async (seed: number) =>
      Effect.runPromise(
        await simulate(seed, ({ clock }) =>
          Effect.gen(function* () {
            const woken: Array<number> = []
            for (const minutes of [1, 2, 3, 4, 5]) {
              const turn = Effect.andThen(
                Effect.sleep(minutes * 60_000),
                Effect.sync(() => woken.push(minutes))
              )
              yield* Effect.forkChild(Effect.forever(turn), { startImmediately: true })
            }
            clock.passOver(3 * 3_600_000)
            yield* Effect.sleep("50 seconds")
            return woken.join("")
          })
        )
      )
    const orders = []
    for (let seed = 1; seed <= 10; seed++) orders.push(await wokenOf(seed))
    for (const order of orders) assert.strictEqual([...order].sort().join(""), "12345")
    assert.isAbove(new Set(orders).size, 5)
    assert.strictEqual(await wokenOf(1), orders[0])
  })

  it("sets the wall clock and nothing else", async () => {
    const exit = await simulate(1, ({ clock }) =>
      Effect.gen(function* () {
        const before = { wall: yield* Clock.currentTimeMillis, monotonic: yield* Clock.monotonicTimeNanos }
        clock.setBy(-3_600_000)
        const wall = (yield* Clock.currentTimeMillis) - before.wall
        return { wall, monotonic: Number((yield* Clock.monotonicTimeNanos) - before.monotonic) }
      })
    )
    assert.deepEqual(exit, Exit.succeed({ wall: -3_600_000, monotonic: 0 }))
  })

  it("gives what WebCrypto makes in the order in which it was asked for", async () => {
    const digest = (bytes: number) => Effect.promise(() => crypto.subtle.digest("SHA-256", new Uint8Array(bytes)))
    const sizes = [4_000_000, 1, 100_000, 10]
    const run = Effect.gen(function* () {
      const done: Array<number> = []
      yield* Effect.forEach(sizes, (size) => Effect.map(digest(size), () => done.push(size)), {
        concurrency: "unbounded"
      })
      return done
    })
    const [first, second] = [await valueOf(1, run), await valueOf(1, run)]
    assert.deepEqual(first, second)
  })

  for (const [name, stray] of [
    ["asks what time it is", () => Date.now()],
    ["asks for the date", () => new Date()],
    ["asks the kernel for that", () => process.hrtime.bigint()],
    ["looks whether there is a file", () => existsSync("/")],
    ["reads a file", () => readFile("/etc/hostname")],
    ["sets a timer of its own", () => setTimeout(() => undefined, 1)]
  ] as const) {
    it(`ends, and says why, when somebody ${name}`, async () => {
      const failure = await simulate(1, () => Effect.ignoreCause(Effect.sync((): unknown => stray()))).then(
        () => undefined,
        (error: Error) => error.message
      )
      assert.include(failure, "was called in a simulation")
      assert.isAbove(Date.now(), 0)
      assert.isAbove(new Date().getTime(), 0)
      assert.isTrue(existsSync("/"))
    })
  }

  it("lets a date be made of what is known", async () => {
    const exit = await simulate(1, () => Effect.sync(() => [new Date(0).toISOString(), new Date(0) instanceof Date]))
    assert.deepEqual(exit, Exit.succeed(["1970-01-01T00:00:00.000Z", true]))
  })

  it("ends when everybody waits for what never comes", async () => {
    const never = Effect.flatMap(Queue.unbounded<void>(), Queue.take)
    const failure = await simulate(1, () => never).then(
      () => undefined,
      (error: Error) => error.message
    )
    assert.include(failure, "everybody waits")
  })
})
