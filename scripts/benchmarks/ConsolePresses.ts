import type { Page } from "playwright-core"
import type { Benchmark } from "./Benchmark.ts"
import { inChromium, load } from "./Chromium.ts"
import { startReady } from "./Service.ts"
import { slowest, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

type Press = readonly [name: string, press: (page: Page) => Promise<void>]
const link = (name: string): Press => [name, (page) => page.getByRole("link", { name }).first().click()]
const button = (name: string): Press => [name, (page) => page.getByRole("button", { name }).click()]
const layout = (key: string): Press => [`Layout ${key}`, (page) => page.getByLabel("Layout").press(key)]

/** Through all views, and what is pressed in them most. */
const everywhere: ReadonlyArray<Press> = [
  ...["Recordings", "Snapshots", "Events", "System", "Admin", "Cameras"].map(link),
  ...[layout("ArrowDown"), layout("ArrowUp"), button("Colours"), link("camera1"), link("All cameras")]
]

/** Has the page note how long it is from each press to the next paint after all that it brought about (Event Timing). */
const note = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const durations: Array<number> = []
    Object.assign(window, { durations })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as ReadonlyArray<PerformanceEventTiming>) {
        if (entry.interactionId > 0) durations.push(entry.duration)
      }
    }).observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit)
  })

/** Milliseconds. */
const took = async (page: Page, [, press]: Press): Promise<number> => {
  await press(page)
  await pause(300)
  const told = await page.evaluate(() => (window as unknown as { durations: Array<number> }).durations.splice(0))
  // what took less than 16 ms is not told of
  return Math.max(16, ...told)
}

/** So many times through all of it: how long each press took, in milliseconds. */
export const presses = async (
  page: Page,
  rounds: number
): Promise<{ readonly all: ReadonlyArray<number>; readonly words: string }> => {
  await note(page)
  const found = new Map<string, number>()
  const all: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    for (const press of everywhere) {
      const duration = await took(page, press)
      all.push(duration)
      found.set(press[0], Math.max(duration, found.get(press[0]) ?? 0))
    }
  }
  const each = [...found].toSorted(([, one], [, other]) => other - one).map(([name, slowest]) => `${name} ${slowest}`)
  return { all, words: `${summary(all)}; the slowest of each: ${each.join(", ")}` }
}

/** The same of a button that changes nothing but its own colour, on a page without a line of the console. */
export const barePresses = async (page: Page, count: number): Promise<ReadonlyArray<number>> => {
  await page.evaluate(() => {
    const pressed = document.createElement("button")
    pressed.textContent = "Bare"
    pressed.style.cssText = "position:fixed;top:0;left:0"
    let isRed = false
    pressed.addEventListener("click", () => {
      isRed = !isRed
      pressed.style.color = isRed ? "red" : "blue"
    })
    document.body.append(pressed)
  })
  await note(page)
  const found: Array<number> = []
  for (let i = 0; i < count; i++) found.push(await took(page, button("Bare")))
  return found
}

/** How fast the page answers to who uses it, while the two cameras of the demo are live in it. */
export const consolePresses: Benchmark = async ({ times }) => {
  await using service = await startReady(2)
  return await inChromium(async (browser) => {
    const { page } = await load(browser, service)
    const { all, words } = await presses(page, Math.max(1, times(10)))
    return [{ name: "console-presses.inp", value: slowest(all), detail: words }]
  })
}
