import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import { Resolver } from "../../src/ground/Resolver.ts"

it.live("names stand for addresses, one of nobody for none; this machine knows its own", () =>
  Effect.gen(function* () {
    const { addressesOf, own } = yield* Resolver
    assert.include(yield* addressesOf("localhost"), "127.0.0.1")
    assert.strictEqual((yield* Effect.flip(addressesOf("nobody.invalid")))._tag, "NameUnknown")
    assert.include(own(), "127.0.0.1")
    assert.deepStrictEqual(
      own().filter((address) => isIP(address) === 0 || address.includes("%")),
      []
    )
  }).pipe(Effect.provide(Resolver.layer))
)
