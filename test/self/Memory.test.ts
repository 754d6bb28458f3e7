import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { execFileSync, spawnSync } from "node:child_process"
import { join } from "node:path"
import { Calls } from "../../src/self/Calls.ts"
import * as Memory from "../../src/self/Memory.ts"

const megabyte = 2 ** 20

/**
 * A process of which `needed` MB of anonymous memory are in use: a collection leaves what the C library has freed, which is
 * released together with the pages of files but `hot` MB.
 */
const bench = Effect.fnUntraced(function* ({ canRelease = true } = {}) {
  const own = { anonymous: 25, needed: 18, freed: 2, files: 45, hot: 8, busy: 0 }
  const calls = { count: 0 }
  const done: Array<string> = []
  const layer = Layer.provide(
    Memory.layer,
    Layer.mergeAll(
      Layer.succeed(Calls, calls),
      Layer.succeed(Memory.OwnMemory, {
        prepare: () => undefined,
        occupied: () => ({ anonymous: own.anonymous * megabyte, files: own.files * megabyte }),
        busy: () => own.busy,
        collect: () => {
          done.push("collect")
          own.anonymous = own.needed + own.freed
        },
        release: Effect.suspend(() => {
          done.push("release")
          if (!canRelease) return Effect.fail(new Cause.UnknownError("no malloc_trim"))
          own.anonymous = Math.max(own.needed, own.anonymous - own.freed)
          own.files = own.hot
          return Effect.void
        })
      })
    )
  )
  yield* Layer.build(layer)
  return {
    own,
    calls,
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
      assert.deepStrictEqual(yield* during(9), [])
      own.busy = 0.04
      assert.deepStrictEqual(yield* during(3), ["collect", "release"])
      assert.deepStrictEqual([own.anonymous, own.files], [18, 8])
      assert.deepStrictEqual(yield* during(600), [])
    })
  )

  it.effect("is given back after a burst of work, not during it", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(60)
      Object.assign(own, { anonymous: 50, files: 30, busy: 0.6 })
      assert.deepStrictEqual(yield* during(60), [])
      own.busy = 0.04
      assert.deepStrictEqual(yield* during(3), ["collect", "release"])
      assert.deepStrictEqual([own.anonymous, own.files], [18, 8])
    })
  )

  it.effect("stays where little of it would come back", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(60)
      Object.assign(own, { anonymous: 21, files: 11 })
      assert.deepStrictEqual(yield* during(600), [])
    })
  )

  it.effect("is not collected for pages of files alone", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(60)
      own.files = 30
      assert.deepStrictEqual(yield* during(3), ["release"])
      assert.strictEqual(own.files, 8)
    })
  )

  it.effect("that rest itself brings back is given back ever more seldom, until there is work again", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      assert.deepStrictEqual(yield* during(3), ["collect", "release"])
      const again = Effect.gen(function* () {
        own.files = 18
        let seconds = 0
        while ((yield* during(3)).length === 0) seconds += 3
        return seconds + 3
      })
      const pauses: Array<number> = []
      for (let n = 0; n < 6; n++) pauses.push(yield* again)
      assert.deepStrictEqual(pauses, [3, 9, 33, 129, 513, 600])
      own.busy = 0.6
      yield* during(3)
      own.busy = 0
      assert.isAtMost(yield* again, 12)
    })
  )

  it.effect("that a burst takes right after it was given back is not needed", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(3)
      Object.assign(own, { files: 30, busy: 0.6 })
      yield* during(30)
      own.busy = 0
      assert.deepStrictEqual(yield* during(3), ["release"])
    })
  )

  it.effect("that is in use is not looked for again and again", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(60)
      Object.assign(own, { anonymous: 50, needed: 40 })
      assert.deepStrictEqual(yield* during(3), ["collect", "release"])
      assert.deepStrictEqual(yield* during(600), [])
      // what was in use is not any more, which V8 gave back by itself: from there it is counted
      Object.assign(own, { anonymous: 20, needed: 18 })
      yield* during(3)
      own.anonymous = 28
      assert.deepStrictEqual(yield* during(3), ["collect", "release"])
    })
  )

  it.effect("is collected when no call comes for 3 seconds, and released while some do", () =>
    Effect.gen(function* () {
      const { calls, in: during, own } = yield* bench()
      yield* during(60)
      Object.assign(own, { anonymous: 50, files: 30 })
      calls.count++
      assert.deepStrictEqual(yield* during(3), ["release"])
      for (let i = 0; i < 30; i++) {
        calls.count++
        assert.deepStrictEqual(yield* during(3), [])
      }
      // a release does not put off the collection after it
      own.files = 30
      calls.count++
      assert.deepStrictEqual(yield* during(3), ["release"])
      assert.deepStrictEqual(yield* during(3), ["collect", "release"])
      assert.strictEqual(own.anonymous, 18)
    })
  )

  it.effect("is given back every 10 seconds at most", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench()
      yield* during(6)
      own.anonymous = 30
      assert.deepStrictEqual(yield* during(6), [])
      assert.deepStrictEqual(yield* during(3), ["collect", "release"])
    })
  )

  it.effect("is collected all the same where the system cannot be asked", () =>
    Effect.gen(function* () {
      const { in: during, own } = yield* bench({ canRelease: false })
      assert.deepStrictEqual(yield* during(60), ["collect", "release"])
      assert.strictEqual(own.anonymous, 20)
      own.anonymous = 40
      assert.deepStrictEqual(yield* during(60), ["collect"])
    })
  )

  it("of a real process goes back to the system", () => {
    const program = `
      import { ofThisProcess } from ${JSON.stringify(join(import.meta.dirname, "../../src/self/Memory.ts"))}
      import * as Effect from "effect/Effect"
      const own = ofThisProcess()
      own.prepare()
      const start = own.occupied()
      let used = Array.from({ length: 500_000 }, (_, i) => ({ text: "number " + i, is: [i] }))
      const full = own.occupied()
      used = undefined
      own.collect()
      await Effect.runPromise(own.release)
      const after = own.occupied()
      // all that was taken out is there for who needs it
      const sorted = Array.from({ length: 1000 }, (_, i) => String(i)).toSorted((a, b) => a.localeCompare(b, "de"))
      const json = JSON.stringify(sorted)
      process.stdout.write(JSON.stringify({ start, full, after, isWhole: JSON.parse(json).length === 1000 }))
    `
    const options = ["--input-type=module", "--eval", program]
    const { after, full, isWhole, start } = JSON.parse(execFileSync(process.execPath, options).toString()) as Record<
      "start" | "full" | "after",
      Memory.Occupied
    > & { readonly isWhole: boolean }
    assert.isAbove(full.anonymous - start.anonymous, 40 * megabyte)
    assert.isBelow(after.anonymous - start.anonymous, (full.anonymous - start.anonymous) / 2)
    assert.isBelow(after.files, full.files / 2)
    assert.isTrue(isWhole)
  })

  it("is prepared in a process whose start took so long that V8 has begun to tidy up by itself", () => {
    const program = `
      import { PerformanceObserver, constants } from "node:perf_hooks"
      import { setFlagsFromString } from "node:v8"
      import { runInNewContext } from "node:vm"
      import { ofThisProcess } from "${join(import.meta.dirname, "../../src/self/Memory.ts")}"
      setFlagsFromString("--expose-gc")
      const own = ofThisProcess()
      const alive = setInterval(() => undefined, 100)
      new PerformanceObserver((seen) => {
        if (!seen.getEntries().some(({ detail, startTime }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR && startTime > 5000)) return
        own.prepare()
        own.collect()
        clearInterval(alive)
        process.stdout.write("well")
      }).observe({ entryTypes: ["gc"] })
      Array.from({ length: 200_000 }, (_, i) => ({ i }))
      runInNewContext("gc")()
    `
    const ran = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" })
    assert.deepStrictEqual([ran.stdout, ran.signal, ran.status], ["well", null, 0], ran.stderr)
  })
})
