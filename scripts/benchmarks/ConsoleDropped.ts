import { cpus } from "node:os"
import type { Page } from "playwright-core"
import type { Measurement, Run } from "./Benchmark.ts"
import { leave } from "./Chromium.ts"
import { summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

/** Of a wall. */
export const tiles = 16
/** pictures a second */
export const rate = 15
/** seconds */
const watched = 20

interface Missing {
  /** percent of the pictures that should have been shown meanwhile and were not: lost, late, or dropped */
  readonly percent: number
  /** … those that had come and were decoded, where the browser had no time to show them */
  readonly dropped: number
}

const missing = async (page: Page): Promise<ReadonlyArray<Missing>> => {
  const shown = () =>
    page.evaluate(() =>
      [...document.querySelectorAll("video")].map((video) => {
        const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality()
        return { at: performance.now(), dropped: droppedVideoFrames, shown: totalVideoFrames - droppedVideoFrames }
      })
    )
  await pause(5000)
  const before = await shown()
  await pause(watched * 1000)
  const after = await shown()
  return after.map((now, tile) => {
    const since = before[tile] ?? now
    const due = ((now.at - since.at) / 1000) * rate
    return {
      percent: Math.max(0, 100 * (1 - (now.shown - since.shown) / due)),
      dropped: (100 * (now.dropped - since.dropped)) / due
    }
  })
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, one) => sum + one, 0) / values.length

/** Percent of this machine's processors that nobody used while this went on. */
const unused = async <A>(work: Promise<A>): Promise<readonly [A, number]> => {
  const times = () => {
    const all = cpus().map(({ times: { idle, irq, nice, sys, user } }) => ({
      idle,
      total: idle + irq + nice + sys + user
    }))
    return { idle: mean(all.map(({ idle }) => idle)), total: mean(all.map(({ total }) => total)) }
  }
  const before = times()
  const done = await work
  const after = times()
  return [done, (100 * (after.idle - before.idle)) / (after.total - before.total)]
}

/** Opens a page with so many tiles that play. */
type Open = (count: number) => Promise<Page>

/**
 * What is missing of 16 tiles, beside a page that has nothing but the videos, each twice by turns: what a browser does not show
 * there, it has no time for on this machine. Where that is too much, how many tiles it does show.
 */
export const dropped = async (openWall: Open, openBare: Open, say: Run["say"]): Promise<ReadonlyArray<Measurement>> => {
  const look = async (name: string, open: Open, count: number) => {
    const page = await open(count)
    say(`${count} ${name} play`)
    const [each, idle] = await unused(missing(page))
    await leave(page)
    const percents = each.map(({ percent }) => percent)
    const percent = mean(percents)
    const late = mean(each.map((one) => one.dropped)).toFixed(1)
    const words = `${count} ${name}: ${percent.toFixed(1)} % (${summary(percents)}; came, and dropped: ${late} %), ${idle.toFixed(0)} % of the processors idle`
    return { percent, words }
  }
  const wall = [await look("tiles", openWall, tiles)]
  const bare = [await look("bare videos", openBare, tiles)]
  wall.push(await look("tiles", openWall, tiles))
  bare.push(await look("bare videos", openBare, tiles))
  const percentOf = (found: typeof wall) => mean(found.map(({ percent }) => percent))
  const told = [...wall, ...bare]
  for (let count = tiles - 4; count > 0 && (told.at(-1)?.percent ?? 1) >= 1; count -= 4) {
    told.push(await look("tiles", openWall, count))
  }
  const detail = `${rate}/s; ${told.map(({ words }) => words).join("; ")}`
  return [
    { name: "console-wall.dropped", value: percentOf(wall), detail },
    { name: "console-wall.dropped_more", value: percentOf(wall) - percentOf(bare) }
  ]
}
