import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { findings, go, limit, moves, openAt, openConsole, promise } from "../support/browser/Console.ts"
import { playWhep } from "../support/browser/WhepPlayer.ts"
import { clientOf, startReady } from "../support/Service.ts"

it.live(
  "a camera shows its newest snapshot and how old that is until it is live; a kiosk shows the pictures alone",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "operator" })
      yield* call.take_snapshot({ device: "camera0" })
      const { page, trespasses } = yield* openConsole(service.files)
      const token = yield* service.token({ role: "viewer" })
      let letGo: () => void = () => undefined
      const held = new Promise<void>((resolve) => void (letGo = resolve))
      yield* promise(async () => {
        await page.route("**/whep/**", async (route) => {
          await held
          await route.continue()
        })
        await page.goto(`${service.files}/?fullscreen#token=${token}`)
        await page.getByRole("img", { name: "Last snapshot of camera0" }).waitFor(limit)
        await page
          .locator(".chip.age")
          .getByText(/^\d+ m?s ago$/)
          .waitFor(limit)
        letGo()
      })
      yield* moves(page, "camera0")
      assert.strictEqual(yield* promise(() => page.getByRole("navigation").count()), 0)
      assert.deepStrictEqual(yield* findings(page), [])
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "an event leads to what was recorded then, which is looked through by wheel and pointer",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "operator" })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "viewer" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* call.take_snapshot({ device: "camera0" })
      yield* call.start_recording({ device: "camera0" })
      yield* Effect.sleep("2 seconds")
      yield* call.stop_recording({ device: "camera0" })
      yield* go(page, "events")
      const topics = page.locator(".topic")
      const shown = yield* promise(async () => {
        await topics.getByText("Recording stopped").waitFor(limit)
        await page.getByLabel("Kind").selectOption("recording")
        return topics.allTextContents()
      })
      assert.deepStrictEqual(shown, ["Recording stopped", "Recording started"])
      const ticks = page.locator(".tick")
      const [before, after] = yield* promise(async () => {
        await page.getByRole("listitem").last().getByTitle("What was recorded of camera0 then").click()
        await page.waitForFunction(
          () => (document.querySelector<HTMLVideoElement>(".recorded video")?.readyState ?? 0) >= 2,
          undefined,
          limit
        )
        const now = await ticks.allTextContents()
        const row = await page.locator(".trackRow .span").boundingBox()
        // most of 20 minutes away: closer, until what is under the pointer is wide enough to be seen
        await page.mouse.move((row?.x ?? 0) + (row?.width ?? 0) / 2, (row?.y ?? 0) + 4)
        await page.mouse.wheel(0, -2500)
        await page.locator("img.thumbnail").waitFor(limit)
        return [now, await ticks.allTextContents()]
      })
      assert.notDeepEqual(after, before)
      assert.deepStrictEqual(yield* findings(page), [])
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "an admin makes a key, which is shown once, and says what is deleted",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "admin" })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "admin" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* go(page, "administration")
      const key = yield* promise(async () => {
        await page.getByLabel("For whom").fill(`the wall ${"in the hall of the old station ".repeat(6)}`)
        await page.getByRole("button", { name: "Make a key" }).click()
        const text = (await page.locator(".newKey code").textContent(limit)) ?? ""
        assert.strictEqual(await page.getByLabel("For whom").inputValue(), "")
        await page.getByRole("button", { name: "I have it" }).click()
        await page.getByLabel("Delete").selectOption("the oldest beyond")
        await page.getByLabel("GB").fill("20")
        await page.getByRole("button", { name: "Save" }).click()
        await page.getByText(/20 GB/).first().waitFor(limit)
        return text
      })
      // whatever it is called: what can be done with it is in sight, and so is the question before it is done
      const keys = page.getByRole("region", { name: "List of keys" })
      for (const width of [1280, 390, 320]) {
        const isWider = yield* promise(async () => {
          await page.setViewportSize({ width, height: 720 })
          await keys.getByRole("button", { name: /^Revoke/ }).click()
          const wider = await keys.evaluate(({ clientWidth, scrollWidth }) => scrollWidth > clientWidth)
          await keys.getByRole("button", { name: "No" }).click()
          return wider
        })
        assert.isFalse(isWider, `wider than its place at ${width}`)
      }
      // on a phone, too, it is a table, and each of its cells says what it is
      const table = page.getByRole("table", { name: "Keys, newest first" })
      const [heads, cells, labels] = yield* promise(async () => [
        await table.getByRole("columnheader").allTextContents(),
        await table.getByRole("cell").allTextContents(),
        await table
          .locator("td")
          .evaluateAll((all) => all.map((cell) => getComputedStyle(cell, "::before").content.split(" / ")[0]))
      ])
      assert.deepStrictEqual(heads, ["Key", "Role", "Made", "Expires", "Last used", "Actions"])
      assert.deepStrictEqual(labels, ['"Role"', '"Made"', '"Expires"', '"Last used"', "none"])
      assert.match(cells?.[1] ?? "", / by test$/)
      // what is in force is what the form begins with
      yield* go(page, "system")
      yield* go(page, "administration")
      assert.strictEqual(yield* promise(() => page.getByLabel("GB").inputValue(limit)), "20")
      const opened = yield* promise(() =>
        fetch(`${service.files}/hls/camera0/index.m3u8`, { headers: { "x-api-key": key } })
      )
      assert.notInclude([401, 403], opened.status)
      assert.notInclude(yield* promise(() => page.content()), key)
      assert.match((yield* call.get_storage_info({})).retention ?? "", /20 GB/)
      assert.deepStrictEqual(yield* findings(page), [])
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "an admin says what is deleted of one camera, when it is asked for, and never",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({
        cameras: 2,
        settings: { STORAGE_MAX_AGE_DAYS: "90", STORAGE_MAX_SIZE_GB: "500" }
      })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "admin" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* go(page, "administration")
      const card = page.getByRole("region", { name: "Retention" })
      const save = (told: RegExp) =>
        promise(async () => {
          await card.getByRole("button", { name: "Save" }).click()
          await page.locator(".notices").getByText(told).waitFor(limit)
        })
      const kind = (words: string) => promise(() => card.getByLabel("Delete").selectOption(words))
      yield* promise(() => card.getByText("Both limits stand in the configuration").waitFor(limit))
      yield* promise(() => card.getByLabel("Camera").selectOption("camera1"))
      yield* kind("nothing, not even when asked to")
      yield* save(/^Files of camera1 are not deleted\./)
      yield* promise(() => card.getByText("files of camera1 are not deleted by themselves").waitFor(limit))
      yield* promise(() => card.getByLabel("Camera").selectOption(""))
      yield* kind("only when asked to")
      yield* promise(async () => {
        await card.getByLabel("Days").fill("7")
        await card.getByLabel("GB").fill("20")
      })
      yield* save(/^Files are deleted only when somebody cleans up\./)
      assert.deepStrictEqual(yield* findings(page), [])
      yield* promise(async () => {
        await card.getByRole("button", { name: "Clean up now" }).click()
        await card.getByRole("button", { name: "Yes: Clean up now" }).click()
        await page
          .locator(".notices")
          .getByText(/files older than 7 days are deleted; the oldest files are deleted where there is more than 20 GB/)
          .waitFor(limit)
      })
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

/** How many pictures FFmpeg makes of the first packets of this address, from the first keyframe on. */
const pictures = (address: string) =>
  promise(async () => {
    const transport = address.startsWith("rtsp:") ? ["-rtsp_transport", "tcp"] : []
    const { stdout } = await promisify(execFile)("ffprobe", [
      ...["-v", "error", ...transport, "-select_streams", "v", "-read_intervals", "%+#30", "-count_frames"],
      ...["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", address]
    ])
    return Number.parseInt(stdout, 10)
  })

it.live(
  "each address that the camera's page copies plays in what it is for",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "viewer" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* go(page, "camera/camera0")
      yield* promise(async () => {
        await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
        await page.getByRole("button", { name: "Put a key in" }).click()
        await page.getByRole("button", { name: "Make another key" }).waitFor(limit)
      })
      const names = yield* promise(() => page.locator(".addresses dt").allTextContents())
      const addresses = new Map<string, string>()
      for (const name of names) {
        const address = yield* promise(async () => {
          await page.evaluate(() => navigator.clipboard.writeText(""))
          await page.getByRole("button", { name: `Copy the address for ${name}` }).click()
          await page.waitForFunction(async () => (await navigator.clipboard.readText()) !== "", undefined, limit)
          return page.evaluate(() => navigator.clipboard.readText())
        })
        addresses.set(/\((.*)\)/.exec(name)?.[1] ?? name, address)
      }
      assert.deepStrictEqual([...addresses.keys()], ["HLS", "RTSP", "WebRTC", "WHEP"])
      const of = (way: string) => addresses.get(way) ?? ""
      const inPrograms = Effect.forEach(["HLS", "RTSP"], (way) => pictures(of(way)), { concurrency: 2 })
      const inBrowsers = promise(async () => {
        const other = await page.context().newPage()
        const plays = () => (document.querySelector("video")?.currentTime ?? 0) > 0.5
        await other.goto(of("WebRTC"))
        await other.waitForFunction(plays, undefined, limit)
        await other.evaluate(() => document.body.replaceChildren(document.createElement("video")))
        await playWhep(other, of("WHEP"))
        await other.waitForFunction(plays, undefined, limit)
      })
      const [made] = yield* Effect.all([inPrograms, inBrowsers], { concurrency: 2 })
      for (const count of made) assert.isAtLeast(count, 5)
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
