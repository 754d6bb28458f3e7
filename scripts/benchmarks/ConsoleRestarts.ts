import type { Page } from "playwright-core"
import { signal } from "../../test/support/Processes.ts"
import type { Benchmark, Measurement } from "./Benchmark.ts"
import { inChromium, load } from "./Chromium.ts"
import { makeGround, type Service, startService } from "./Service.ts"
import { slowest, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

/** Runs in the page: the milliseconds from now to the first picture of another live stream than the one that is shown. */
const untilLiveAgain = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const began = performance.now()
    const [video] = document.querySelectorAll("video")
    const before = video?.srcObject
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await new Promise((next) => setTimeout(next, 5))
    }
    await until(() => video?.srcObject !== before && video?.srcObject !== null)
    await until(() => document.querySelector(".picture.playing") !== null)
    await new Promise((next) => video?.requestVideoFrameCallback(next))
    return performance.now() - began
  })

/** How long a page that shows a live picture is without one when what it hangs on ends and begins anew. */
export const consoleRestarts: Benchmark = async ({ say, times }) => {
  using ground = await makeGround({ CAMERAS_SYNTHETIC: 1 })
  let service: Service = startService(ground)
  await service.ready()
  try {
    return await inChromium(async (browser): Promise<ReadonlyArray<Measurement>> => {
      const { page } = await load(browser, service)
      const mediaMtx: Array<number> = []
      for (let i = 0; i < times(10); i++) {
        const back = untilLiveAgain(page)
        for (const { pid } of ground.running("mediamtx")) signal(pid, "SIGKILL")
        mediaMtx.push(await back)
        say(`MediaMTX ${i + 1}`)
        await pause(3000)
      }
      const restarted: Array<number> = []
      for (let i = 0; i < times(10); i++) {
        const back = untilLiveAgain(page)
        await service.kill()
        // every other time it is away for a while
        await pause(i % 2 === 0 ? 0 : 8000)
        const began = performance.now()
        service = startService(ground)
        await back
        restarted.push(performance.now() - began)
        say(`restart ${i + 1}`)
        await pause(3000)
      }
      return [
        { name: "console-restarts.mediamtx", value: slowest(mediaMtx), detail: summary(mediaMtx) },
        { name: "console-restarts.restart", value: slowest(restarted), detail: summary(restarted) }
      ]
    })
  } finally {
    await service.kill()
  }
}
