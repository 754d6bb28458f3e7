import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { type Job, makeStandby } from "../../src/process/Standby.ts"

const practiceOf = (kind: string, input = () => new Uint8Array(2)) => ({ kind, args: ["two"], input })

/** Processes that work at once, and that take until `gone` to end where they are dismissed. */
const bench = Effect.fnUntraced(function* (gone: Effect.Effect<void> = Effect.void) {
  const practised: Array<Job<never>> = []
  let practising = 0
  const run = (_: ReadonlyArray<string>, job: Job<never>) => {
    const work = Effect.flatMap(Deferred.await(job.input), (input) => Deferred.succeed(job.output, input))
    if (job.practice === undefined) return Effect.asVoid(work)
    practised.push(job)
    practising++
    return Effect.asVoid(work).pipe(
      Effect.onInterrupt(() => gone),
      Effect.ensuring(Effect.sync(() => practising--))
    )
  }
  const { work } = yield* makeStandby<never>(run)
  const twice = Effect.fnUntraced(function* (kind: string, input?: () => Uint8Array<ArrayBuffer>) {
    for (const _ of [1, 2]) yield* work(["one"], new Uint8Array(1), practiceOf(kind, input))
    yield* TestClock.adjust("100 millis")
  })
  return { practised, practising: () => practising, twice, work }
})

describe("the process that stands by and has practised", () => {
  it.effect("is one, of the kind that came last, also where those before take their time to end", () =>
    Effect.gen(function* () {
      const gone = Deferred.makeUnsafe<void>()
      const { practised, practising, twice } = yield* bench(Deferred.await(gone))
      for (const kind of ["a", "b", "c"]) yield* twice(kind)
      yield* Deferred.succeed(gone, undefined)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(practising(), 1)
      assert.lengthOf(practised, 2)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(practising(), 0)
    })
  )

  it.effect("is given what it practises with as it is begun, and nobody else", () =>
    Effect.gen(function* () {
      const { practised, twice, work } = yield* bench()
      let copies = 0
      const input = () => new Uint8Array(++copies)
      yield* work(["one"], new Uint8Array(1), practiceOf("a", input))
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(copies, 0)
      yield* twice("a", input)
      assert.lengthOf(practised, 1)
      assert.strictEqual(copies, 1)
    })
  )

  it.effect("works for one of those who come at once, and each has its own", () =>
    Effect.gen(function* () {
      const { practised, twice, work } = yield* bench()
      yield* twice("a")
      for (const { practice } of practised) practice?.done()
      const lengths = [3, 4, 5]
      const works = lengths.map((length) => work(["one"], new Uint8Array(length), practiceOf("a")))
      const outputs = yield* Fiber.join(yield* Effect.forkChild(Effect.all(works, { concurrency: "unbounded" })))
      assert.deepEqual(
        outputs.map((output) => output.length),
        lengths
      )
    })
  )
})
