import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import * as Memory from "../../src/process/Memory.ts"

const megabyte = 2 ** 20

/** A process of which `needed` MB are in use: a collection leaves what the C library has freed, which trimming gives back. */
const bench = Effect.fnUntraced(function* ({ canTrim = true } = {}) {
  const own = { resident: 70, needed: 60, freed: 2, busy: 0 }
  const done: Array<string> = []
  const layer = Layer.provide(
    Memory.layer,
    Layer.succeed(Memory.OwnMemory, {
      resident: () => own.resident * megabyte,
      busy: () => own.busy,
      collect: () => {
        done.push("collect")
        own.resident = own.needed + own.freed
      },
      trim: async () => {
        done.push("trim")
        if (!canTrim) throw new Error("no malloc_trim")
        own.resident = own.needed
      }
    })
  )
  yield* Layer.build(layer)
  return {
    own,
    /** what was done in this time */
    in: (seconds: number) =>
      Effect.map(TestClock.adjust(`${seconds} seconds`), (): ReadonlyArray<string> => done.splice(0))
  }
})

describe("memory", () => {
  it.effect("is given back after the start, once the service rests", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      own.busy = 0.5
      assert.deepStrictEqual(yield* during(10), [])
      own.busy = 0.01
      assert.deepStrictEqual(yield* during(5), ["collect"])
      assert.strictEqual(own.resident, 62)
      assert.deepStrictEqual(yield* during(600), [])
    })
  )

  it.effect("is given back after a burst of work, not during it", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(60)
      own.resident = 95
      own.busy = 0.6
      assert.deepStrictEqual(yield* during(60), [])
      own.busy = 0.02
      assert.deepStrictEqual(yield* during(5), ["collect", "trim"])
      assert.strictEqual(own.resident, 60)
    })
  )

  it.effect("stays where little of it would come back", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(60)
      own.resident = 69
      assert.deepStrictEqual(yield* during(600), [])
    })
  )

  it.effect("that is in use is not looked for again and again", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(60)
      own.resident = 100
      own.needed = 90
      assert.deepStrictEqual(yield* during(5), ["collect", "trim"])
      assert.deepStrictEqual(yield* during(600), [])
      // what was in use is not any more, which V8 gave back by itself: from there it is counted
      own.resident = 65
      yield* during(5)
      own.resident = 75
      assert.deepStrictEqual(yield* during(5), ["collect", "trim"])
    })
  )

  it.effect("is given back every 30 seconds at most", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(5)
      own.resident = 80
      assert.deepStrictEqual(yield* during(25), [])
      assert.deepStrictEqual(yield* during(5), ["collect", "trim"])
    })
  )

  it.effect("is collected all the same where the C library cannot be asked", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench({ canTrim: false })
      yield* during(60)
      own.resident = 80
      assert.deepStrictEqual(yield* during(5), ["collect", "trim"])
      assert.strictEqual(own.resident, 62)
      own.resident = 80
      assert.deepStrictEqual(yield* during(60), ["collect"])
    })
  )

  it("of a real process goes back to the system", () => {
    const program = `
      import { OwnMemory } from ${JSON.stringify(join(import.meta.dirname, "../../src/process/Memory.ts"))}
      const own = OwnMemory.defaultValue()
      const start = own.resident()
      let used = Array.from({ length: 500_000 }, (_, i) => ({ text: "number " + i, is: [i] }))
      const full = own.resident()
      used = undefined
      own.collect()
      await own.trim()
      process.stdout.write(JSON.stringify({ start, full, after: own.resident() }))
    `
    const options = ["--expose-gc", "--input-type=module", "--eval", program]
    const { after, full, start } = JSON.parse(execFileSync(process.execPath, options).toString()) as Record<
      "start" | "full" | "after",
      number
    >
    assert.isAbove(full - start, 40 * megabyte)
    assert.isBelow(after - start, (full - start) / 2)
  })
})
