import type { Page } from "playwright-core"
import { agesIn } from "../../test/support/browser/PictureClock.ts"
import type { Benchmark, Measurement } from "./Benchmark.ts"
import { openBare } from "./BareWall.ts"
import { awaitIdle, makeIdle } from "./Cameras.ts"
import { inChromium, leave, load } from "./Chromium.ts"
import { type Service, startReady } from "./Service.ts"
import { median, percentile, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

/** Kilobytes of script, as they are sent, that the page loads before it shows a live picture. */
const scriptOf = (page: Page): Promise<number> =>
  page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter(({ name }) => name.endsWith(".js"))
      .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).encodedBodySize / 1024, 0)
  )

/** Milliseconds from the navigation on. */
const pictureAt = (page: Page): Promise<number> =>
  page.evaluate(() => performance.getEntriesByName("picture")[0]?.startTime ?? Number.NaN)

/** How far what stands beside the picture is from how old that is by the clock in it. */
const badgeErrors = async (page: Page, count: number): Promise<ReadonlyArray<number>> => {
  const found: Array<number> = []
  for (let looks = 0; found.length < count && looks < 5 * count; looks++) {
    const told = Number(/· (\d+) ms/.exec((await page.locator(".chip.live").textContent()) ?? "")?.[1])
    if (!Number.isNaN(told)) found.push(Math.abs(median(await agesIn(page, 5)) - told))
    // until it is measured anew
    await pause(Number.isNaN(told) ? 200 : 2200)
  }
  return found
}

/** From a click on the timeline to a picture of that time. */
const seeks = async (service: Service, page: Page, count: number): Promise<ReadonlyArray<number>> => {
  using rpc = await service.connect()
  await rpc.call("start_recording", { device: "camera0" })
  await pause(20_000)
  await rpc.call("stop_recording", { device: "camera0" })
  const at = new Date(Date.now() - 10_000).toISOString()
  await page.evaluate((time) => void (location.hash = `#/recordings/camera0/${time}`), at)
  await page.waitForFunction(() => (document.querySelector<HTMLVideoElement>(".recorded video")?.readyState ?? 0) >= 2)
  const found: Array<number> = []
  for (let i = 0; i < count; i++) {
    const back = 3 + ((i * 7) % 15)
    const time = await page.evaluate(
      async (iso) => {
        const video = document.querySelector<HTMLVideoElement>(".recorded video")
        const field = document.querySelector<HTMLInputElement>("input[type=datetime-local]")
        if (video === null || field === null) return Number.NaN
        const began = performance.now()
        const local = new Date(Date.parse(iso) - new Date().getTimezoneOffset() * 60_000)
        field.value = local.toISOString().slice(0, 19)
        field.dispatchEvent(new Event("change", { bubbles: true }))
        await new Promise((resolve) => video.addEventListener("emptied", resolve, { once: true }))
        await new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }))
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve))
        return performance.now() - began
      },
      new Date(Date.parse(at) + 10_000 - back * 1000).toISOString()
    )
    found.push(time)
    await pause(300)
  }
  return found
}

/** Milliseconds between a synthetic camera's keyframes. */
const keyframes = 400

/** How fast the console is there: by pages that are opened, and by one that stays. */
export const consolePage: Benchmark = async ({ say, times }) => {
  // so short that the camera is soon idle again
  await using service = await startReady(1, { STREAMS_VIEWER_LINGER_SECONDS: 0 })
  using rpc = await service.connect()
  await rpc.call("take_snapshot", { device: "camera0" })
  await makeIdle(rpc, "camera0")
  return await inChromium(async (browser): Promise<ReadonlyArray<Measurement>> => {
    const cold: Array<number> = []
    const paint: Array<number> = []
    const still: Array<number> = []
    for (let i = 0; i < times(20); i++) {
      await awaitIdle(rpc, "camera0")
      const loaded = await load(browser, service)
      cold.push(loaded.picture)
      paint.push(loaded.paint)
      // where the live picture was sooner there was none
      if (Number.isFinite(loaded.still)) still.push(loaded.still)
      say(`cold ${i + 1}`)
      await leave(loaded.page)
      await makeIdle(rpc, "camera0")
    }
    const first = await load(browser, service)
    const warm: Array<number> = []
    const answered: Array<number> = []
    const bare: Array<number> = []
    for (let i = 0; i < times(20); i++) {
      // else each page would come at the same time after a keyframe, for the one before ended with one
      await pause(Math.random() * keyframes)
      const loaded = await load(browser, service)
      warm.push(loaded.picture)
      answered.push(loaded.answered)
      await leave(loaded.page)
      await pause(Math.random() * keyframes)
      const video = await openBare(browser, service, 1, "camera0")
      bare.push(await pictureAt(video))
      await leave(video)
      say(`warm ${i + 1}`)
    }
    const delayed = await agesIn(first.page, times(200))
    const errors = await badgeErrors(first.page, times(20))
    const script = await scriptOf(first.page)
    const sought = await seeks(service, first.page, times(30))
    return [
      { name: "console-page.paint", value: percentile(paint, 0.95), detail: summary(paint) },
      { name: "console-page.script", value: script },
      { name: "console-page.still", value: percentile(still, 0.95), detail: summary(still) },
      { name: "console-page.cold", value: percentile(cold, 0.95), detail: summary(cold) },
      {
        name: "console-page.warm",
        value: percentile(warm, 0.95),
        detail: `${summary(warm)}; its offer answered: ${summary(answered)}; a page of one bare video: ${summary(bare)}`
      },
      { name: "console-page.delay", value: median(delayed), detail: summary(delayed) },
      { name: "console-page.badge", value: median(errors), detail: summary(errors) },
      { name: "console-page.seek", value: percentile(sought, 0.95), detail: summary(sought) }
    ]
  })
}
