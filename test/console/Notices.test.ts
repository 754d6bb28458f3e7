import { afterEach, assert, beforeEach, it, vi } from "@effect/vitest"
import { choosingTime, notices, say, undo, undoLast } from "../../src/console/notices.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.runAllTimers()
  vi.useRealTimers()
})

const words = () => notices.peek().map(({ what }) => what)
const done = (what: string) => say({ kind: "done", what })
const deleted = (what: string, undone: Array<string> = []) =>
  say({ kind: "done", what, action: { label: undo, run: () => void undone.push(what) } }, choosingTime)

it("what can be undone stays in sight for its 10 seconds, whatever else is told meanwhile", () => {
  deleted("a picture")
  for (let i = 1; i <= 6; i++) done(`news ${i}`)
  assert.deepStrictEqual(words(), ["a picture", "news 3", "news 4", "news 5", "news 6"])
  vi.advanceTimersByTime(choosingTime - 1)
  assert.deepStrictEqual(words(), ["a picture"])
  vi.advanceTimersByTime(1)
  assert.deepStrictEqual(words(), [])
})

it("each of many deletes can be undone, the last one first by key", () => {
  const undone: Array<string> = []
  for (let i = 1; i <= 6; i++) deleted(`picture ${i}`, undone)
  assert.lengthOf(words(), 6)
  while (undoLast());
  assert.deepStrictEqual(
    undone,
    [6, 5, 4, 3, 2, 1].map((i) => `picture ${i}`)
  )
  assert.deepStrictEqual(words(), [])
})
