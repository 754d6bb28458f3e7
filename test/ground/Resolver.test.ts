import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import { isIP } from "node:net"
import { addressesOf, Resolver } from "../../src/ground/Resolver.ts"

it.live("names stand for addresses, one of nobody for none; this machine knows its own", () =>
  Effect.gen(function* () {
    const { addressesOf: find, own } = yield* Resolver
    assert.include(yield* find("localhost"), "127.0.0.1")
    assert.strictEqual((yield* Effect.flip(find("nobody.invalid")))._tag, "NameUnknown")
    assert.include(own(), "127.0.0.1")
    assert.deepStrictEqual(
      own().filter((address) => isIP(address) === 0 || address.includes("%")),
      []
    )
  }).pipe(Effect.provide(Resolver.layer))
)

it.effect("who is interrupted gives its turn to nobody while the lookup still runs", () =>
  Effect.gen(function* () {
    const answer = yield* Latch.make()
    const begun = yield* Queue.unbounded<string>()
    const look = (name: string) => Effect.andThen(Queue.offer(begun, name), Effect.as(answer.await, ["192.0.2.1"]))
    const find = addressesOf(yield* Semaphore.make(2), look)
    const asking = yield* Effect.forEach(["a", "b", "c"], (name) => Effect.forkChild(find(name)))
    assert.deepStrictEqual([yield* Queue.take(begun), yield* Queue.take(begun)], ["a", "b"])
    yield* Fiber.interruptAll(asking)
    const late = yield* Effect.forkChild(find("d"))
    yield* Effect.repeat(Effect.yieldNow, { times: 20 })
    assert.strictEqual(yield* Queue.size(begun), 0)
    yield* answer.open
    assert.deepStrictEqual(yield* Fiber.join(late), ["192.0.2.1"])
  })
)
