import type { Page } from "playwright-core"
import { block, makeHoles, type Protocol } from "../../test/support/browser/Blocked.ts"
import type { Benchmark, Measurement } from "./Benchmark.ts"
import { inChromium, leave, load } from "./Chromium.ts"
import { startReady } from "./Service.ts"
import { slowest, summary } from "./Statistics.ts"

/** What the picture is shown over. */
const transportOf = async (page: Page): Promise<string> =>
  (await page.locator(".chip.live").textContent())?.includes("HLS") === true ? "HLS" : "WebRTC"

/** How soon a page shows a live picture where its packets are dropped on the way to MediaMTX. */
export const consoleBlocked: Benchmark = async ({ say, times }) => {
  await using service = await startReady(1)
  using rpc = await service.connect()
  using holes = await makeHoles()
  await rpc.call("start_streaming", { device: "camera0" })
  return await inChromium(async (browser): Promise<ReadonlyArray<Measurement>> => {
    const until = async (protocols: ReadonlyArray<Protocol>, transport: string) => {
      const found: Array<number> = []
      for (let i = 0; i < times(20); i++) {
        const { page, picture } = await load(browser, service, (opened) => block(opened, holes, protocols))
        const shown = await transportOf(page)
        if (shown !== transport) throw new Error(`without ${protocols.join(" and ")} it was ${shown}`)
        found.push(picture)
        say(`without ${protocols.join(" and ")} ${i + 1}`)
        await leave(page)
      }
      return found
    }
    const overTcp = await until(["udp"], "WebRTC")
    const overHls = await until(["udp", "tcp"], "HLS")
    return [
      { name: "console-blocked.no_udp", value: slowest(overTcp), detail: summary(overTcp) },
      { name: "console-blocked.no_webrtc", value: slowest(overHls), detail: summary(overHls) }
    ]
  })
}
