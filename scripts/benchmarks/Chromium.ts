import { type Browser, chromium, type Page } from "playwright-core"
import type { Service } from "./Service.ts"
import { pause } from "./Waiting.ts"

/** Where Debian's package puts it; `scripts/setup --for-tests` installs it. */
const executablePath = "/usr/bin/chromium"
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--autoplay-policy=no-user-gesture-required"]

export interface Loaded {
  readonly page: Page
  /** milliseconds from the navigation on: the first paint that is not empty, and the first live picture */
  readonly paint: number
  readonly picture: number
  /** milliseconds from the navigation to the answer of the live stream's offer; what comes then is its way to the next keyframe */
  readonly answered: number
  /** milliseconds from the moment that the tile is there until the newest snapshot is seen in it; not a number: it never was */
  readonly still: number
}

/** Runs in the page before anything else: when the tile, its still picture and the live one are shown for the first time. */
const noteFirsts = () => {
  const isThere = {
    tile: () => document.querySelector(".picture") !== null,
    still: () => document.querySelector<HTMLImageElement>("img.before")?.complete === true,
    picture: () => document.querySelector(".picture.playing") !== null
  }
  const look = () => {
    for (const [name, is] of Object.entries(isThere)) {
      if (performance.getEntriesByName(name).length === 0 && is()) performance.mark(name)
    }
    if (performance.getEntriesByName("picture").length === 0) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

/** A browser that was never there: nothing is in its cache. */
export const load = async (
  browser: Browser,
  { ground }: Service,
  prepare: (page: Page) => Promise<unknown> = () => Promise.resolve()
): Promise<Loaded> => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage()
  await prepare(page)
  await page.addInitScript(noteFirsts)
  await page.goto(`http://127.0.0.1:${ground.ports.SERVER_PORT}/#token=${ground.token}`)
  await page.waitForFunction(() => performance.getEntriesByName("picture").length > 0, undefined, { timeout: 20_000 })
  const [paint = Number.NaN, picture = Number.NaN, still = Number.NaN, tile = Number.NaN] = await page.evaluate(() =>
    ["first-contentful-paint", "picture", "still", "tile"].map(
      (name) => performance.getEntriesByName(name)[0]?.startTime ?? Number.NaN
    )
  )
  const answered = await page.evaluate(() => {
    const offer = performance.getEntriesByType("resource").find(({ name }) => name.includes("/whep/"))
    return (offer as PerformanceResourceTiming | undefined)?.responseEnd ?? Number.NaN
  })
  return { page, paint, picture, answered, still: still - tile }
}

/** As a user does: the browser goes on, and has a moment to say so; else MediaMTX misses the page only 30 s later. */
export const leave = async (page: Page): Promise<void> => {
  await page.goto("about:blank")
  await pause(250)
  await page.context().close()
}

/** Debian's Chromium, without a GPU, on this machine, for as long as `use` takes. */
export const inChromium = async <A>(use: (browser: Browser) => Promise<A>): Promise<A> => {
  const browser = await chromium.launch({ executablePath, args, headless: true })
  try {
    return await use(browser)
  } finally {
    await browser.close()
  }
}
