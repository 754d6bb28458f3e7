import { assert, describe, it } from "vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { splitter } from "../../src/media/Jpeg.ts"
import { warmUp } from "../../src/stream/WarmUp.ts"

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures", name))
const dark = fixture("dark.jpg")
const [bright = Buffer.alloc(0)] = splitter().push(fixture("four-pictures.mjpeg"))

/** When the first good picture came, of one every `interval` milliseconds. */
const firstGood = (interval: number, pictureAt: (age: number) => Buffer, wakesDark = true) => {
  const isGood = warmUp(wakesDark)
  for (let age = 0; age < 10_000; age += interval) if (isGood(pictureAt(age), age + 1_000_000)) return age
  return undefined
}

describe("a camera that wakes", () => {
  it("has its first five pictures left out, or those of its first 300 ms, whichever is less", () => {
    assert.strictEqual(
      firstGood(20, () => bright),
      100
    )
    assert.strictEqual(
      firstGood(100, () => bright),
      300
    )
    assert.strictEqual(
      firstGood(1000, () => bright),
      1000
    )
  })

  it("has its dark pictures left out until one is bright", () => {
    assert.strictEqual(
      firstGood(33, (age) => (age < 700 ? dark : bright)),
      726
    )
  })

  it("has a dark picture taken after 1.5 s and 15 pictures, or after 3 s: it looks at something dark", () => {
    assert.strictEqual(
      firstGood(50, () => dark),
      1500
    )
    assert.strictEqual(
      firstGood(150, () => dark),
      2250
    )
    assert.strictEqual(
      firstGood(500, () => dark),
      3000
    )
  })

  it("is warm from its first good picture on, whatever comes", () => {
    const isGood = warmUp(true)
    for (let i = 0; i < 5; i++) assert.isFalse(isGood(bright, i))
    assert.isTrue(isGood(bright, 5))
    assert.isTrue(isGood(dark, 6))
  })

  it("is not kept waiting for a picture whose brightness cannot be read", () => {
    assert.strictEqual(
      firstGood(100, () => Buffer.from([0xff, 0xd8, 0xff, 0xd9])),
      300
    )
  })
})

it("a synthetic camera is warm at once", () => {
  assert.strictEqual(
    firstGood(100, () => dark, false),
    0
  )
})
