import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { type Chunk, FileParts, type Part } from "../../src/console/timeline/FileParts.ts"

const part = (index: number, length = 1000): Part => ({
  offset: 700 + index * 1000,
  length,
  start: index,
  duration: length / 1000,
  keyframe: index
})
const partsTo = (count: number) => Array.from({ length: count }, (_, index) => part(index))

/** A file as the service tells it, in pages of so many parts. */
const bench = (file: { parts: ReadonlyArray<Part>; isWritten: boolean }, page = 5000) => {
  const asked: Array<number> = []
  const answer = (offset: number) => ({ parts: file.parts.slice(offset, offset + page), total: file.parts.length })
  const known = new FileParts(answer(0), file.isWritten, {
    parts: (offset) =>
      Effect.sync(() => {
        asked.push(offset)
        return answer(offset)
      }),
    isWritten: Effect.sync(() => file.isWritten)
  })
  /** the bytes of the whole file from a part on, as they are fetched */
  const fetched = Effect.fnUntraced(function* (from: number) {
    const chunks: Array<Chunk> = []
    for (let next = from; ;) {
      const chunk = yield* known.chunk(next)
      if (chunk === undefined) return chunks
      chunks.push(chunk)
      next = chunk.next
    }
  })
  return { known, asked, fetched }
}

const bytesOf = (chunks: ReadonlyArray<Chunk>) => chunks.map(({ first, last }) => [first, last])

describe("the parts of a file that is played", () => {
  it.effect("are fetched to the last, also where one answer does not hold them all", () =>
    Effect.gen(function* () {
      const { fetched } = bench({ parts: partsTo(12), isWritten: false }, 5)
      const chunks = yield* fetched(0)
      assert.strictEqual(chunks.at(-1)?.last, 700 + 12_000 - 1)
      assert.deepStrictEqual(
        chunks.slice(1).map(({ first }) => first),
        chunks.slice(0, -1).map(({ last }) => last + 1)
      )
    })
  )

  it.effect("are asked for until the one is known with which a time begins", () =>
    Effect.gen(function* () {
      const { asked, known } = bench({ parts: partsTo(12), isWritten: false }, 5)
      assert.strictEqual(yield* known.at(3.5), 3)
      assert.deepStrictEqual(asked, [])
      assert.strictEqual(yield* known.at(6.5), 6)
      assert.deepStrictEqual(asked, [5])
      assert.strictEqual(yield* known.at(99), 11)
      assert.deepStrictEqual(asked, [5, 10])
    })
  )

  it.effect("are fetched whole while they are written: the last one waits until it grows no more", () =>
    Effect.gen(function* () {
      const file = { parts: [part(0), part(1, 300)], isWritten: true }
      const { fetched } = bench(file)
      const all = yield* Effect.forkChild(fetched(0))
      yield* TestClock.adjust("3 seconds")
      file.parts = [part(0), part(1), part(2, 300)]
      yield* TestClock.adjust("3 seconds")
      file.parts = [part(0), part(1), part(2, 600)]
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(all.pollUnsafe())
      file.parts = [part(0), part(1), part(2)]
      file.isWritten = false
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(bytesOf(yield* Fiber.join(all)), [
        [700, 1699],
        [1700, 2699],
        [2700, 3699]
      ])
    })
  )

  it.effect("are fetched with what came between the last look and the file's end", () =>
    Effect.gen(function* () {
      const file = { parts: [part(0, 500)], isWritten: true }
      const { fetched } = bench(file)
      const all = yield* Effect.forkChild(fetched(0))
      yield* TestClock.adjust("900 millis")
      file.parts = partsTo(2)
      file.isWritten = false
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(bytesOf(yield* Fiber.join(all)), [[700, 2699]])
    })
  )
})
