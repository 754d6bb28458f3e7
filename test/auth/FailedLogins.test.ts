import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { AuthFailed } from "../../schema/Errors.ts"
import { FailedLogins, type Login } from "../../src/auth/FailedLogins.ts"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { listening } from "../support/Log.ts"

const wrong = Effect.fail(new AuthFailed({ reason: "the key is not valid" }))
const login = (changed: Partial<Login> = {}): Login => ({
  address: "192.0.2.1",
  credential: "a.b.c",
  over: "JSON-RPC",
  ...changed
})
/** Milliseconds that the answer to this takes. */
const took = Effect.fnUntraced(function* (
  changed: Partial<Login> = {},
  verify: Effect.Effect<unknown, AuthFailed> = wrong
) {
  const { slowed } = yield* FailedLogins
  const began = yield* monotonicMillis
  const answered = yield* Effect.forkChild(
    Effect.andThen(Effect.exit(slowed(login(changed), verify)), monotonicMillis),
    {
      startImmediately: true
    }
  )
  yield* TestClock.adjust("20 seconds")
  return Math.round((yield* Fiber.join(answered)) - began)
})
const times = <A, E, R>(number: number, effect: (i: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(
    Array.from({ length: number }, (_, i) => i),
    effect
  )

/** What is logged, and the layer that has it logged here. */
const log = () => {
  const { layer, lines } = listening()
  return { lines, layer: FailedLogins.layer.pipe(Layer.provideMerge(layer)) }
}

describe("failed logins", () => {
  it.effect("of one address are answered the later the more there were, for 5 s at most", () =>
    Effect.gen(function* () {
      const waits = yield* times(18, (i) => took({ credential: `a.b.${i}` }))
      assert.deepStrictEqual(waits.slice(0, 10), Array(10).fill(0))
      assert.deepStrictEqual(waits.slice(10), [250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
      assert.strictEqual(yield* took({ address: "192.0.2.2", credential: "x" }), 0)
    }).pipe(Effect.provide(log().layer))
  )

  it.effect("with one credential are slowed too, wherever they come from: of a key its public part counts", () =>
    Effect.gen(function* () {
      const guess = (i: number) => `csk_0123456789ab_${String(i).padStart(43, "A")}`
      const waits = yield* times(12, (i) => took({ address: `192.0.2.${i}`, credential: guess(i) }))
      assert.deepStrictEqual(waits.slice(9), [0, 250, 500])
      assert.strictEqual(yield* took({ address: "192.0.2.99", credential: "csk_ba9876543210_".padEnd(60, "A") }), 0)
    }).pipe(Effect.provide(log().layer))
  )

  it.effect("of a network of IPv6 count as those of one address", () =>
    Effect.gen(function* () {
      const waits = yield* times(11, (i) => took({ address: `2001:db8:0:1::${i}`, credential: String(i) }))
      assert.strictEqual(waits.at(-1), 250)
    }).pipe(Effect.provide(log().layer))
  )

  it.effect("hold up nobody whose credential is right, and no question of MediaMTX", () =>
    Effect.gen(function* () {
      const { noted } = yield* FailedLogins
      yield* times(30, () => took())
      assert.strictEqual(yield* took({}, Effect.succeed("right")), 0)
      const began = yield* monotonicMillis
      yield* Effect.flip(noted(login({ over: "MediaMTX" }), wrong))
      assert.strictEqual(yield* monotonicMillis, began)
      // and a right one pardons no wrong one
      assert.strictEqual(yield* took(), 5000)
    }).pipe(Effect.provide(log().layer))
  )

  it.effect(
    "with signed URLs are slowed by their address, and make no login late, nor others with the same URL",
    () => {
      const { layer, lines } = log()
      return Effect.gen(function* () {
        const url = { over: "a signed URL" } as const
        const waits = yield* times(12, () => took(url))
        assert.deepStrictEqual(waits.slice(9), [0, 250, 500])
        assert.strictEqual(yield* took({ ...url, address: "192.0.2.2" }), 0)
        assert.strictEqual(yield* took(), 0)
        assert.deepInclude(lines[0], { message: "a signed URL was refused", address: "192.0.2.1" })
        assert.notInclude(JSON.stringify(lines), "a.b.c")
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("are forgotten after ten minutes without one", () =>
    Effect.gen(function* () {
      yield* times(15, () => took())
      yield* TestClock.adjust("9 minutes")
      assert.strictEqual(yield* took(), 5000)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* took(), 0)
    }).pipe(Effect.provide(log().layer))
  )

  it.effect("of more addresses than can be remembered push out the oldest only", () =>
    Effect.gen(function* () {
      const { noted } = yield* FailedLogins
      yield* times(15, () => took())
      const from = (i: number) => ({ address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, credential: String(i) })
      yield* times(4999, (i) => Effect.flip(noted(login(from(i)), wrong)))
      assert.strictEqual(yield* took(), 5000)
      yield* times(5000, (i) => Effect.flip(noted(login(from(i)), wrong)))
      assert.strictEqual(yield* took({ credential: "another" }), 0)
    }).pipe(Effect.provide(log().layer))
  )

  it.effect("wait by the thousand, and not by more", () =>
    Effect.gen(function* () {
      const { slowed } = yield* FailedLogins
      yield* times(20, () => took())
      yield* times(1000, () => Effect.forkChild(Effect.exit(slowed(login(), wrong)), { startImmediately: true }))
      const began = yield* monotonicMillis
      yield* Effect.flip(slowed(login(), wrong))
      assert.strictEqual(yield* monotonicMillis, began)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* took(), 5000)
    }).pipe(Effect.provide(log().layer))
  )

  it.effect("are told with the address and the reason: one line a second, and of one address in ten", () => {
    const { layer, lines } = log()
    return Effect.gen(function* () {
      const { noted } = yield* FailedLogins
      const fail = (address: string) =>
        Effect.flip(noted(login({ address, credential: "hunter2", over: "MediaMTX" }), wrong))
      yield* times(50, () => fail("192.0.2.1"))
      yield* fail("192.0.2.2")
      const first = { level: "warning", message: "a login failed", address: "192.0.2.1", over: "MediaMTX" }
      assert.deepStrictEqual(lines, [{ ...first, reason: "the key is not valid", failures: 1 }])
      yield* TestClock.adjust("1 second")
      yield* fail("192.0.2.1")
      yield* fail("192.0.2.2")
      assert.deepInclude(lines[1], { address: "192.0.2.2", failures: 2, not_told: 51 })
      yield* TestClock.adjust("9 seconds")
      yield* fail("192.0.2.1")
      assert.deepInclude(lines[2], { address: "192.0.2.1", failures: 52 })
      assert.lengthOf(lines, 3)
      assert.notInclude(JSON.stringify(lines), "hunter2")
    }).pipe(Effect.provide(layer))
  })
})
