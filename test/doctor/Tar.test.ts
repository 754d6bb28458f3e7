import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { gunzip, gzip } from "../../src/doctor/Gzip.ts"
import { tar, untar } from "../../src/doctor/Tar.ts"

const entries = fc.array(
  fc.record({ name: fc.stringMatching(/^[a-z][a-z0-9_./-]{0,60}$/), bytes: fc.uint8Array({ maxLength: 2000 }) }),
  { maxLength: 5 }
)

describe("an archive", () => {
  it("has in it what was put there", () => {
    fc.assert(fc.property(entries, (all) => assert.deepStrictEqual(untar(tar(all, 0)), all)))
  })

  it("that is cut off, or changed in a header, is none", () => {
    const whole = tar([{ name: "a", bytes: new Uint8Array(600) }], 0)
    assert.isUndefined(untar(whole.subarray(0, 1024)))
    for (const at of [0, 124, 156, 257]) {
      const changed = whole.slice()
      changed[at] = 0x7a
      assert.isUndefined(untar(changed), String(at))
    }
  })

  it("with a size below 0 is none: it would never end", () => {
    const made = tar([{ name: "a", bytes: new Uint8Array(0) }], 0)
    made.set(new TextEncoder().encode("-0000001000"), 124)
    made.fill(0x20, 148, 156)
    const sum = made.subarray(0, 512).reduce((total, byte) => total + byte, 0)
    made.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148)
    assert.isUndefined(untar(made))
  })

  it("of any bytes ends without a fault", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => void untar(bytes)))
  })
})

it.effect("what is packed comes back as it was, and no more of it than is wanted", () =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(100_000)
    const packed = yield* gzip(bytes)
    assert.deepStrictEqual(yield* gunzip(packed, 100_000), bytes)
    for (const [given, most] of [
      [packed, 99_999],
      [packed.subarray(0, 50), 100_000],
      [new Uint8Array(5), 100_000]
    ] as const) {
      assert.strictEqual((yield* Effect.flip(gunzip(given, most)))._tag, "NotPacked")
    }
  })
)
