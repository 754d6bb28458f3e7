import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { findings, go, limit, moves, openAt, openConsole, promise } from "../support/browser/Console.ts"
import { eventually } from "../support/Eventually.ts"
import { clientOf, makeGround, ready, start, startReady } from "../support/Service.ts"

it.live(
  "every view is accessible in light and dark, on a desk and a phone",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady()
      const admin = yield* clientOf(service, { role: "admin" })
      yield* admin.call.take_snapshot({ device: "camera0" })
      yield* admin.call.create_api_key({ role: "viewer", description: "the wall" })
      const token = yield* service.token({ role: "admin" })
      const { page, trespasses } = yield* openAt(service, token)
      yield* moves(page, "camera0")
      for (const view of [
        "",
        "camera/camera0",
        "camera/camera9",
        "recordings",
        "snapshots",
        "events",
        "system",
        "administration"
      ]) {
        yield* go(page, view)
        assert.deepStrictEqual(yield* findings(page), [], view)
      }
      yield* promise(() => page.setViewportSize({ width: 320, height: 640 }))
      for (const view of ["", "camera/camera0", "recordings", "snapshots", "system", "administration"]) {
        yield* go(page, view)
        assert.deepStrictEqual(yield* findings(page), [], `${view} on a phone`)
        const overflow = yield* promise(() =>
          page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
        )
        assert.strictEqual(overflow, 0, `${view}: wider than a phone`)
      }
      // a screen of 1280×720 at 200 %: what is told at the foot hides no more than half of it
      yield* promise(() => page.setViewportSize({ width: 640, height: 360 }))
      for (const view of ["", "camera/camera0", "recordings", "snapshots", "system", "administration"]) {
        yield* go(page, view)
        const { overflow, room } = yield* promise(() =>
          page.evaluate(() => {
            const { clientWidth, scrollWidth } = document.documentElement
            const [nav, header] = ["nav", "header"].map((name) => document.querySelector(name)?.getBoundingClientRect())
            const isBar = (nav?.width ?? 0) > (nav?.height ?? 0)
            const isFixed = getComputedStyle(document.querySelector("header") ?? document.body).position !== "static"
            const taken = (isBar ? (nav?.height ?? 0) : 0) + (isFixed ? (header?.height ?? 0) : 0)
            return { overflow: scrollWidth - clientWidth, room: innerHeight - taken }
          })
        )
        assert.strictEqual(overflow, 0, `${view}: wider than the screen at 200 %`)
        assert.isAtLeast(room, 180, `${view}: no room at 200 %`)
      }
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "by keyboard alone a camera is moved, recorded and opened",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady()
      const token = yield* service.token({ role: "operator" })
      const { page } = yield* openAt(service, token)
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      /** Tabs until what has the focus is called so. */
      const tabTo = (name: RegExp) =>
        promise(async () => {
          const seen: Array<string> = []
          for (let press = 0; press < 60; press++) {
            await page.keyboard.press("Tab")
            const focused = await page.evaluate(
              () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? ""
            )
            if (name.test(focused)) return
            seen.push(focused)
          }
          throw new Error(`Tab comes to ${seen.join(", ")}, and not to ${name}`)
        })
      const order = promise(() => page.locator(".tile .device").allTextContents())
      yield* tabTo(/^Skip to the content/)
      yield* promise(() => page.keyboard.press("Enter"))
      yield* tabTo(/^Move camera0/)
      yield* promise(() => page.keyboard.press("ArrowRight"))
      assert.deepStrictEqual(yield* order, ["camera1", "camera0"])
      yield* tabTo(/^Record camera0/)
      yield* promise(async () => {
        await page.keyboard.press("Enter")
        await page.getByRole("button", { name: /Stop recording camera0/ }).waitFor(limit)
        await page.keyboard.press("Enter")
        await page.getByRole("button", { name: "Record camera0" }).waitFor(limit)
        await page.reload()
        await page.getByLabel("Token or API key").fill(token)
        await page.keyboard.press("Enter")
        await page.getByRole("article", { name: /^camera0/ }).waitFor(limit)
      })
      assert.deepStrictEqual(yield* order, ["camera1", "camera0"])
      yield* tabTo(/^camera1/)
      yield* promise(async () => {
        await page.keyboard.press("Enter")
        await page.getByRole("heading", { name: /^camera1/ }).waitFor(limit)
      })
    }),
  120_000
)

it.live(
  "by keyboard alone what was recorded is played by frames, a picture is deleted and taken back, and no press loses its place",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "admin" })
      const { start_time } = yield* call.start_recording({ device: "camera0" })
      const { filename } = yield* call.take_snapshot({ device: "camera0" })
      yield* Effect.sleep("1500 millis")
      const { filename: newest } = yield* call.take_snapshot({ device: "camera0" })
      yield* call.stop_recording({ device: "camera0" })
      yield* call.create_api_key({ role: "viewer" })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "admin" }))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      const focused = promise(() =>
        page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent)
      )
      const isFocused = (name: string) =>
        eventually(
          `the focus is on ${name}`,
          Effect.map(focused, (now) => now === name)
        )
      const press = (key: string) => promise(() => page.keyboard.press(key))

      yield* go(page, `recordings/camera0/${start_time}`)
      const at = promise(() =>
        page.evaluate(() => {
          const video = document.querySelector<HTMLVideoElement>(".recorded video")
          return video?.paused === true && !video.seeking ? video.currentTime : undefined
        })
      )
      yield* promise(() => page.getByRole("slider").focus())
      yield* promise(() =>
        page.waitForFunction(() => document.querySelector<HTMLVideoElement>(".recorded video")?.paused === false)
      )
      yield* press(" ")
      const stopped = yield* eventually("it stands still", at)
      for (const [key, frames] of [
        [",", -1],
        [".", 0]
      ] as const) {
        yield* press(key)
        yield* eventually(
          `${key} is a frame`,
          Effect.map(at, (now) => Math.abs((now ?? 0) - stopped - frames / 25) < 0.001)
        )
      }

      yield* go(page, "snapshots")
      const pictures = page.getByRole("listitem")
      yield* promise(() => page.getByRole("button", { name: `Delete ${newest}` }).focus())
      yield* press("Enter")
      yield* isFocused(`Delete ${filename}`)
      yield* promise(() => pictures.nth(1).waitFor({ ...limit, state: "detached" }))
      yield* press("Control+z")
      yield* promise(() => pictures.nth(1).waitFor(limit))
      yield* promise(() => page.getByText(`${newest} stays.`).waitFor(limit))

      yield* go(page, "administration")
      const revoke = page.getByRole("button", { name: /^Revoke/ })
      yield* promise(() => revoke.focus())
      const before = yield* focused
      yield* press("Enter")
      yield* isFocused("No")
      assert.deepStrictEqual(yield* findings(page), [])
      yield* press("Enter")
      yield* isFocused(before ?? "")
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

/** What a USB camera may have; the synthetic ones have none. */
const controls = [
  { id: 1, name: "Brightness", type: "integer", min: 0, max: 255, step: 1, default: 128, value: 140 },
  {
    id: 2,
    name: "Exposure time",
    type: "integer",
    min: 3,
    max: 2047,
    step: 1,
    default: 250,
    value: 250,
    inactive: true
  },
  { id: 3, name: "Backlight", type: "boolean", min: 0, max: 1, step: 1, default: 0, value: 1 },
  {
    id: 4,
    name: "Power line",
    type: "menu",
    min: 0,
    max: 1,
    step: 1,
    default: 1,
    value: 1,
    menu: [
      { value: 0, name: "Off" },
      { value: 1, name: "50 Hz" }
    ]
  }
]

/** Answers for the service where the page asks for the controls of a camera; gives what was set. */
const playControls = (page: Page) =>
  promise(async () => {
    const set: Array<unknown> = []
    await page.routeWebSocket(/\/ws$/, (socket) => {
      const server = socket.connectToServer()
      server.onMessage((message) => socket.send(message))
      socket.onMessage((message) => {
        const { id, method, params } = JSON.parse(String(message))
        const reply = (result: unknown) => socket.send(JSON.stringify({ jsonrpc: "2.0", id, result }))
        if (method === "get_camera_controls") return reply({ controls })
        if (method !== "set_camera_control") return server.send(message)
        const control = controls.find((one) => one.id === params.id)
        if (control !== undefined) control.value = Number(params.value)
        set.push([params.id, params.value])
        reply(control)
      })
    })
    return set
  })

it.live(
  "a camera's controls are turned by slider, number and reset; one that cannot be says why",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const token = yield* service.token({ role: "operator" })
      const { page } = yield* openConsole(service.files)
      const set = yield* playControls(page)
      yield* promise(() => page.goto(`${service.files}/#token=${token}`))
      yield* promise(() => page.getByRole("article", { name: /^camera0/ }).waitFor(limit))
      yield* go(page, "camera/camera0")
      yield* promise(async () => {
        const brightness = page.getByRole("spinbutton", { name: "Brightness" })
        await brightness.fill("200")
        await brightness.press("Enter")
        await page.getByRole("slider", { name: "Brightness, as a slider" }).press("ArrowRight")
        await page.getByRole("button", { name: "Reset Backlight to 0" }).click()
        await page.getByRole("combobox", { name: "Power line" }).selectOption("Off")
      })
      yield* eventually(
        "all are set",
        Effect.sync(() => set.length === 4)
      )
      assert.deepStrictEqual(set, [
        [1, 200],
        [1, 201],
        [3, 0],
        [4, 0]
      ])
      const exposure = page.getByRole("spinbutton", { name: "Exposure time" })
      assert.isTrue(yield* promise(() => exposure.isDisabled()))
      yield* promise(() => page.getByText("Another control governs it now").waitFor(limit))
      assert.deepStrictEqual(yield* findings(page), [])
    }),
  120_000
)

/** What can have the focus, and is to be seen. */
const focusable = 'a[href], button, input:not([type="hidden"]), select, summary, video[controls], [tabindex="0"]'

/** Tabs through the page; gives what it did not come to. */
const outOfReach = (page: Page) =>
  promise(async () => {
    const count = await page.evaluate((selector) => {
      const all = [...document.querySelectorAll<HTMLElement>(selector)].filter(
        (one) => one.checkVisibility() && !(one as HTMLButtonElement).disabled
      )
      all.forEach((one) => one.setAttribute("data-unreached", ""))
      document.addEventListener("focusin", ({ target }) => (target as Element).removeAttribute("data-unreached"))
      ;(document.activeElement as HTMLElement | null)?.blur()
      return all.length
    }, focusable)
    const left = () =>
      page.evaluate(() => [...document.querySelectorAll("[data-unreached]")].map(({ outerHTML }) => outerHTML))
    // a player's own buttons are among them, and the browser's own stops
    for (let round = 0; round < 4 && (await left()).length > 0; round++) {
      for (let press = 0; press < count; press++) await page.keyboard.press("Tab")
    }
    return left()
  })

it.live(
  "every action of every view is reached by keyboard; who is connected and how it is configured is told to admins",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1, settings: { LIMITS_USER_REQUESTS_PER_SECOND: "500" } })
      const { call } = yield* clientOf(service, { role: "admin", user: "the-wall" })
      yield* call.take_snapshot({ device: "camera0" })
      yield* call.start_recording({ device: "camera0" })
      yield* call.create_api_key({ role: "viewer", description: "the wall" })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "admin" }))
      yield* moves(page, "camera0")
      for (const view of [
        "",
        "camera/camera0",
        `recordings/camera0/${new Date().toISOString()}`,
        "snapshots",
        "events",
        "system",
        "administration"
      ]) {
        yield* go(page, view)
        assert.deepStrictEqual(yield* outOfReach(page), [], view)
      }
      const settings = page.getByRole("region", { name: "List of settings" })
      yield* promise(async () => {
        await page.getByLabel("Only those with").fill("environment")
        await settings.getByText("limits.user_requests_per_second").waitFor(limit)
        // what a value may be, and which variable sets it, for keys and fingers too
        const where = / · takes .* · set by CAMERA_SERVICE_LIMITS_USER_REQUESTS_PER_SECOND$/
        await settings.getByText(where).waitFor(limit)
        await page.getByLabel("Only those with").fill("jwt_secret")
      })
      const rows = yield* promise(() => settings.locator("tbody tr").allTextContents())
      assert.lengthOf(rows, 1)
      assert.match(rows[0] ?? "", /^auth\.jwt_secret.*(not set|\*\*\*)default/)
      yield* go(page, "system")
      yield* promise(() => page.getByRole("region", { name: "List of clients" }).getByText("the-wall").waitFor(limit))
      yield* call.stop_recording({ device: "camera0" })
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "a disk that is full: what is recorded waits and says so, what is asked for is refused with the reason",
  () =>
    Effect.gen(function* () {
      const ground = yield* makeGround({ cameras: 2 })
      const file = join(ground.folder, "config.yaml")
      const reserve = (megabytes: number) => writeFileSync(file, `storage: { reserve_mb: ${megabytes} }\n`)
      reserve(0)
      // the environment would count more than the file
      const { CAMERA_SERVICE_STORAGE_RESERVE_MB: _, ...environment } = ground.environment
      const service = yield* start({ ...ground, environment }, { args: ["serve", "--config", file] })
      yield* ready(service)
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "admin" }))
      yield* moves(page, "camera0")
      yield* promise(async () => {
        await page.getByRole("button", { name: "Record camera0" }).click()
        await page.getByRole("button", { name: /Stop recording camera0, 0:0[1-9]/ }).waitFor(limit)
      })
      // a terabyte is more than is free
      reserve(1_000_000)
      yield* promise(async () => {
        await page.getByRole("button", { name: /Stop recording camera0, Waiting/ }).waitFor(limit)
        await page.getByText(/^Not recorded now: Only the reserve/).waitFor(limit)
        await page.getByRole("button", { name: "Record camera1" }).click()
        await page
          .locator(".notices")
          .getByText(/only the reserve .* is left on the disk/i)
          .waitFor(limit)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      yield* go(page, "system")
      yield* promise(async () => {
        await page.getByText("Degraded").first().waitFor(limit)
        await page.getByText("0 running, 1 waiting").waitFor(limit)
        await page.getByText("full: recordings wait until there is room").waitFor(limit)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
