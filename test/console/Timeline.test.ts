import { describe, expect, it } from "vitest"
import {
  gapsBetween,
  gapsIn,
  nearestRecorded,
  shareOf,
  showing,
  type Span,
  ticks,
  whyMissing,
  zoomed
} from "../../src/console/timeline/period.ts"
import { chunkFrom, partBefore } from "../../src/console/timeline/FileParts.ts"

const span = (from: number, to: number, reason?: string): Span => ({ from, to, isRecording: false, reason })
const hour = 3_600_000

describe("the period that is shown", () => {
  it("is zoomed around what stays where it is", () => {
    const period = { from: 0, to: 100_000 }
    const nearer = zoomed(period, 25_000, 0.5)
    expect(nearer).toEqual({ from: 12_500, to: 62_500 })
    expect(shareOf(nearer, 25_000)).toBe(shareOf(period, 25_000))
  })

  it("is neither shorter than 2 s nor longer than 60 days", () => {
    expect(zoomed({ from: 0, to: 3000 }, 0, 0.001)).toEqual({ from: 0, to: 2000 })
    expect(zoomed({ from: 0, to: 30 * 24 * hour }, 0, 100).to).toBe(60 * 24 * hour)
  })

  it("moves to what is to be seen, and only then", () => {
    const period = { from: 0, to: 1000 }
    expect(showing(period, 400)).toBe(period)
    expect(showing(period, 5000)).toEqual({ from: 4500, to: 5500 })
  })

  it("has lines at round times of the reader's clock", () => {
    const offset = 5.5 * hour
    const found = ticks({ from: 0, to: 24 * hour }, 10, offset)
    expect(found.length).toBeLessThanOrEqual(11)
    expect(found.every(({ at }) => (at + offset) % (3 * hour) === 0)).toBe(true)
    expect(found.filter(({ isDay }) => isDay).map(({ at }) => at)).toEqual([18.5 * hour])
  })
})

describe("what is recorded", () => {
  it("has gaps, each with the reason why what was before it ended", () => {
    expect(gapsBetween([span(0, 10, "unplugged"), span(20, 30, "stopped"), span(31, 40)])).toEqual([
      { from: 10, to: 20, reason: "unplugged" },
      { from: 30, to: 31, reason: "stopped" }
    ])
    expect(gapsBetween([])).toEqual([])
  })

  it("lacks, newest first, what has a reason and is at least in part in the period", () => {
    const rows = [
      { device: "camera0", spans: [span(0, 10, "unplugged"), span(20, 30, "stopped"), span(40, 50)] },
      { device: "camera1", spans: [span(0, 24, "full"), span(26, 31), span(32, 40)] }
    ]
    expect(gapsIn(rows, { from: 19, to: 31 })).toEqual([
      { device: "camera0", from: 30, to: 40, reason: "stopped" },
      { device: "camera1", from: 24, to: 26, reason: "full" },
      { device: "camera0", from: 10, to: 20, reason: "unplugged" }
    ])
  })

  it("is told of a time that has none: why, or that it is still to come", () => {
    const spans = [span(0, 10, "unplugged"), span(20, 30)]
    expect([5, 12, 35, 50].map((at) => whyMissing(spans, at, 40))).toEqual([
      undefined,
      "not recorded: unplugged",
      "not recorded",
      "still to come"
    ])
  })

  it("is looked for from a time on; behind the last, near its end", () => {
    const spans = [span(10_000, 20_000), span(30_000, 40_000)]
    expect([5000, 15_000, 25_000, 99_000].map((at) => nearestRecorded(spans, at))).toEqual([
      10_000, 15_000, 30_000, 39_000
    ])
    expect(nearestRecorded([], 5)).toBeUndefined()
  })
})

const part = (index: number, length = 1000) => ({
  offset: 700 + index * length,
  length,
  start: index,
  duration: 1,
  keyframe: index + 0.5
})
const parts = Array.from({ length: 10 }, (_, index) => part(index))

describe("the parts of a recording", () => {
  it("are begun with the last whose keyframe is not after the time", () => {
    expect([-1, 0.4, 0.5, 3.6, 3.4, 99].map((at) => partBefore(parts, at))).toEqual([0, 0, 0, 3, 2, 9])
    expect(partBefore([], 3)).toBe(0)
  })

  it("are fetched some seconds at once, and all of them in the end", () => {
    expect(chunkFrom(parts, 0, 10)).toEqual({ first: 700, last: 5699, next: 5 })
    expect(chunkFrom(parts, 5, 10)).toEqual({ first: 5700, last: 10_699, next: 10 })
    expect(chunkFrom(parts, 10, 10)).toBeUndefined()
  })

  it("are fetched apart where other bytes lie between them, or they are large", () => {
    expect(chunkFrom([part(0), part(2)], 0, 2)?.next).toBe(1)
    const large = [part(0, 900_000), part(1, 900_000)]
    expect([chunkFrom(large, 0, 2)?.next, chunkFrom(large, 1, 2)?.next]).toEqual([1, 2])
  })
})
