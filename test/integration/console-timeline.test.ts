import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Locator, Page, WebSocketRoute } from "playwright-core"
import { median } from "../../scripts/benchmarks/Statistics.ts"
import { findings, go, limit, openAt, openConsole, promise } from "../support/browser/Console.ts"
import { clocksIn } from "../support/browser/PictureClock.ts"
import { eventually } from "../support/Eventually.ts"
import { clientOf, startReady } from "../support/Service.ts"

/** Two fingers on an element, so many pixels apart one after the other. */
const pinch = (page: Page, element: Locator, apart: ReadonlyArray<number>) =>
  promise(async () => {
    const devtools = await page.context().newCDPSession(page)
    const { height = 0, width = 0, x = 0, y = 0 } = (await element.boundingBox()) ?? {}
    const fingers = (distance: number) =>
      [-distance / 2, distance / 2].map((from, id) => ({ id, x: x + width / 2 + from, y: y + height / 2 }))
    for (const [step, distance] of apart.entries()) {
      const type = step === 0 ? "touchStart" : "touchMove"
      await devtools.send("Input.dispatchTouchEvent", { type, touchPoints: fingers(distance) })
    }
    await devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] })
  })

it.live(
  "what was recorded plays across a gap, which says its reason; a link opens the moment, and a range is saved",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "operator" })
      const record = Effect.gen(function* () {
        const { start_time } = yield* call.start_recording({ device: "camera0" })
        yield* Effect.sleep("2 seconds")
        yield* call.stop_recording({ device: "camera0" })
        return start_time
      })
      yield* record
      yield* Effect.sleep("1 second")
      yield* record
      const token = yield* service.token({ role: "viewer" })
      const spans = eventually(
        "two spans",
        Effect.gen(function* () {
          const [from, to] = [new Date(Date.now() - 60_000), new Date()].map((time) => time.toISOString())
          const { cameras } = yield* call.get_recorded_spans({ from: from ?? "", to: to ?? "", resolution_seconds: 0 })
          const found = cameras[0]?.spans ?? []
          return found.length === 2 ? found : undefined
        })
      )
      const [first, second] = yield* spans
      const { page, trespasses } = yield* openConsole(service.files)
      const sockets: Array<WebSocketRoute> = []
      yield* promise(async () => {
        await page.routeWebSocket(/\/ws$/, (socket) => {
          socket.connectToServer()
          sockets.push(socket)
        })
        await page.goto(`${service.files}/#token=${token}`)
      })
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      // most of the first span is over there
      const moment = new Date(Date.parse(first?.end ?? "") - 1500).toISOString()
      yield* go(page, `recordings/camera0/${moment}`)
      const shown = (after: string) =>
        promise(() =>
          page.waitForFunction(
            (time) => {
              const slider = document.querySelector("[role=slider]")
              const video = document.querySelector<HTMLVideoElement>(".recorded video")
              return (video?.readyState ?? 0) >= 2 && Number(slider?.getAttribute("aria-valuenow")) * 1000 >= time
            },
            Date.parse(after),
            limit
          )
        )
      yield* shown(moment)
      yield* shown(second?.start ?? "")
      // a new connection plays nothing again
      const player = page.locator(".recorded video")
      const source = yield* promise(() => player.getAttribute("src"))
      yield* promise(async () => {
        await sockets[0]?.close()
        await page.waitForFunction(
          (before) => document.querySelector<HTMLVideoElement>(".recorded video")?.src !== before,
          source,
          limit
        )
        await page.waitForFunction(
          () => (document.querySelector<HTMLVideoElement>(".recorded video")?.readyState ?? 0) >= 2,
          undefined,
          limit
        )
        await page.waitForTimeout(500)
      })
      const head = yield* promise(() => page.getByRole("slider").getAttribute("aria-valuenow"))
      assert.isAtLeast(Number(head) * 1000, Date.parse(second?.start ?? ""))
      assert.lengthOf(sockets, 2)
      yield* promise(() =>
        page.locator('.gap[title^="the recording was stopped"]').waitFor({ ...limit, state: "attached" })
      )
      // for keys and fingers, which point at no gap
      yield* promise(async () => {
        await page.locator("summary", { hasText: "1 gap in sight" }).press("Enter", limit)
        await page.getByText(/^camera0 · .*, for \d+ m?s: the recording was stopped/).waitFor(limit)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      const slider = page.getByRole("slider")
      const shownTime = promise(async () => {
        const [from, to, now] = await Promise.all(
          ["valuemin", "valuemax", "valuenow"].map((name) => slider.getAttribute(`aria-${name}`))
        )
        return { length: Number(to) - Number(from), now: Number(now) }
      })
      yield* promise(async () => {
        await page.getByRole("button", { name: "Pause" }).click()
        await page.getByRole("button", { name: "Last 24 hours" }).click()
      })
      const before = yield* shownTime
      yield* pinch(page, slider, [80, 80])
      assert.deepStrictEqual(yield* shownTime, before, "two fingers that rest go nowhere")
      yield* pinch(page, slider, [80, 120, 160])
      const after = yield* shownTime
      assert.approximately(after.length / before.length, 1 / 2, 0.05)
      assert.strictEqual(after.now, before.now)
      const saved = yield* promise(async () => {
        await page.getByRole("button", { name: "Export to here" }).click()
        await page.getByRole("slider").focus()
        await page.keyboard.press("ArrowLeft")
        await page.getByRole("button", { name: "Export from here" }).click()
        const download = page.waitForEvent("download", limit)
        await page.getByRole("button", { name: /^Export \d/ }).click()
        return (await download).suggestedFilename()
      })
      assert.match(saved, /^camera0.*\.mp4$/)
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "the timeline stays where it is when the player opens; an arrow key plays no more than was playing",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "operator" })
      yield* call.start_recording({ device: "camera0" })
      yield* Effect.sleep("3 seconds")
      yield* call.stop_recording({ device: "camera0" })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "viewer" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* go(page, "recordings")
      const slider = page.getByRole("slider")
      const top = promise(async () => (await slider.boundingBox())?.y)
      yield* promise(() => page.locator(".trackRow .span").waitFor(limit))
      const before = yield* top
      yield* promise(async () => {
        const span = await page.locator(".trackRow .span").boundingBox()
        await page.mouse.click((span?.x ?? 0) + 1, (span?.y ?? 0) + 4)
      })
      /** Another source than that one is shown, which plays or does not. */
      const shows = (old: string | null, isPaused: boolean) =>
        promise(async () => {
          await page.waitForFunction(
            ([last, paused]) => {
              const video = document.querySelector<HTMLVideoElement>(".recorded video")
              return video !== null && video.src !== last && video.readyState >= 2 && video.paused === paused
            },
            [old, isPaused] as const,
            limit
          )
          return page.locator(".recorded video").getAttribute("src")
        })
      const first = yield* shows(null, false)
      assert.strictEqual(yield* top, before)
      yield* promise(() => slider.press("ArrowLeft"))
      const second = yield* shows(first, false)
      yield* promise(async () => {
        await page.getByRole("button", { name: "Pause" }).click()
        await slider.press("ArrowLeft")
      })
      yield* shows(second, true)
      yield* promise(() => page.waitForTimeout(300))
      const isPaused = page.evaluate(() => document.querySelector<HTMLVideoElement>(".recorded video")?.paused)
      assert.isTrue(yield* promise(() => isPaused))
      yield* promise(() => page.getByRole("button", { name: "Play", exact: true }).waitFor(limit))
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "what is being recorded plays without a gap while it grows, and to its last byte when it ends",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "operator" })
      yield* call.start_recording({ device: "camera0" })
      yield* Effect.sleep("3 seconds")
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "viewer" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* go(page, "recordings")
      yield* promise(() => page.getByRole("listitem").getByText("still being recorded").waitFor(limit))
      const ranges: Array<string> = []
      page.on("request", (request) => ranges.push(request.headers()["range"] ?? ""))
      yield* go(page, `recordings/camera0/${new Date().toISOString()}`)
      yield* promise(() =>
        page.waitForFunction(
          () => {
            const video = document.querySelector<HTMLVideoElement>(".recorded video")
            return video?.buffered.length === 1 && video.currentTime > video.buffered.start(0) + 4
          },
          undefined,
          limit
        )
      )
      const { files } = yield* call.stop_recording({ device: "camera0" })
      const { parts } = yield* call.get_recording_parts({ filename: files[0] ?? "" })
      const last = parts.at(-1)
      const end = (last?.offset ?? 0) + (last?.length ?? 0) - 1
      yield* eventually(
        "its last byte is fetched",
        Effect.sync(() => ranges.some((range) => range.endsWith(`-${end}`)))
      )
      assert.strictEqual(
        yield* promise(() =>
          page.evaluate(() => document.querySelector<HTMLVideoElement>(".recorded video")?.buffered.length)
        ),
        1
      )
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "cameras that were recorded at once play in step, at another speed too, and after a jump",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 3 })
      const { call } = yield* clientOf(service, { role: "operator" })
      const devices = ["camera0", "camera1", "camera2"] as const
      yield* Effect.forEach(devices, (device) => call.start_recording({ device }), { concurrency: 3 })
      yield* Effect.sleep("8 seconds")
      yield* Effect.forEach(devices, (device) => call.stop_recording({ device }), { concurrency: 3 })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "viewer" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* go(page, `recordings/camera0/${new Date(Date.now() - 9000).toISOString()}`)
      yield* promise(async () => {
        await page.getByRole("button", { name: "camera1 in step" }).click(limit)
        await page.getByRole("button", { name: "camera2 in step" }).click(limit)
        await page.getByLabel("Speed").selectOption("0.5×")
      })
      const behind = Effect.map(
        promise(() => clocksIn(page, ".recorded video")),
        ([first = Number.NaN, ...others]) => others.map((clock) => clock - first)
      )
      // they were idle, and their first pictures came late to the media server, each as it could (0.4 s on a busy machine)
      yield* promise(() => page.getByRole("button", { name: "Pause" }).click(limit))
      const asRecorded = yield* eventually(
        "all stand still",
        Effect.gen(function* () {
          const before = yield* behind
          yield* Effect.sleep("500 millis")
          const after = yield* behind
          return before.length === 2 && String(before) === String(after) ? after : undefined
        })
      )
      assert.isBelow(Math.max(...asRecorded.map(Math.abs)), 500, `recorded apart: ${asRecorded.join(", ")}`)
      assert.deepStrictEqual(yield* findings(page), [])
      const inStep = Effect.gen(function* () {
        yield* Effect.sleep("1 second")
        const skews: Array<number> = []
        for (let count = 0; count < 7; count++) {
          yield* Effect.sleep("150 millis")
          const now = yield* behind
          skews.push(Math.max(...asRecorded.map((millis, at) => Math.abs((now[at] ?? Number.NaN) - millis))))
        }
        assert.isBelow(median(skews), 200, `out of step: ${skews.join(", ")}`)
        assert.isBelow(Math.max(...skews), 400, `out of step: ${skews.join(", ")}`)
      })
      // from the beginning: at their ends they stand still, each at its own
      yield* promise(async () => {
        await page.getByRole("button", { name: "Play", exact: true }).click(limit)
        await page.getByRole("button", { name: "−10 s" }).click(limit)
      })
      yield* inStep
      yield* promise(() => page.getByRole("button", { name: "−10 s" }).click())
      yield* inStep
      yield* promise(async () => {
        await page.getByRole("button", { name: "camera2 in step" }).click()
        await page.getByLabel("What was recorded of camera2").waitFor({ ...limit, state: "detached" })
      })
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
