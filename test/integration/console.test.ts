import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page, WebSocketRoute } from "playwright-core"
import { findings, moves, openConsole } from "../support/browser/Console.ts"
import { eventually } from "../support/Eventually.ts"
import { clientOf, makeGround, ready, type Service, start, startReady } from "../support/Service.ts"

const limit = { timeout: 15_000 }

const promise = <A>(run: () => Promise<A>) => Effect.promise(run)

const openAt = Effect.fnUntraced(function* (service: Service, token: string, query = "") {
  const { page, trespasses } = yield* openConsole(service.files)
  yield* promise(() => page.goto(`${service.files}/${query}#token=${token}`))
  return { page, trespasses }
})

const go = (page: Page, view: string) =>
  promise(async () => {
    await page.evaluate((to) => void (location.hash = `#/${to}`), view)
    await page.waitForFunction(() => document.querySelector(".loading") === null, undefined, limit)
  })

it.live(
  "an operator logs in, watches, records and takes a snapshot, and nothing of it breaks the page's policy",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady()
      const { page, trespasses } = yield* openConsole(service.files)

      yield* promise(async () => {
        await page.goto(service.files)
        await page.getByLabel("Token or API key").fill("not a token")
        await page.getByRole("button", { name: "Log in" }).click()
        await page.getByRole("alert").getByText("Ask for another token").waitFor(limit)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      const token = yield* service.token({ role: "operator" })
      yield* promise(async () => {
        await page.getByLabel("Token or API key").fill(token)
        await page.keyboard.press("Enter")
        await page.getByRole("article", { name: /^camera1/ }).waitFor(limit)
      })
      assert.isFalse(yield* promise(() => page.evaluate(() => JSON.stringify({ ...localStorage }).includes("ey"))))
      yield* moves(page, "camera0")
      yield* moves(page, "camera1")

      // a link of somebody else's
      const strange = yield* service.token({ role: "viewer" })
      yield* promise(async () => {
        await page.evaluate((link) => void (location.hash = link), `token=${strange}`)
        await page.getByText("was not followed").waitFor(limit)
        assert.strictEqual(await page.locator(".role").textContent(), "operator")
      })
      assert.notInclude(page.url(), strange)

      yield* promise(async () => {
        await page.getByRole("button", { name: "Record camera0" }).click()
        await page.getByRole("button", { name: /Stop recording camera0, 0:0[1-9]/ }).waitFor(limit)
        await page.getByRole("button", { name: "Take a snapshot of camera1" }).click()
        await page.getByRole("status").getByText("Snapshot of camera1").waitFor(limit)
        await page.getByRole("button", { name: /Stop recording camera0/ }).click()
        await page.getByRole("button", { name: "Record camera0" }).waitFor(limit)
      })
      const { call } = yield* clientOf(service, { role: "viewer" })
      const { files: recordings } = yield* call.list_recordings({})
      const { files: snapshots } = yield* call.list_snapshots({})
      assert.deepStrictEqual(
        [recordings, snapshots].map((files) => files.map(({ device }) => device)),
        [["camera0"], ["camera1"]]
      )

      yield* go(page, "recordings")
      yield* promise(async () => {
        await page.getByRole("button", { name: `Play ${recordings[0]?.filename}` }).click()
        await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0.3, undefined, limit)
      })
      yield* go(page, "snapshots")
      yield* promise(() =>
        page.waitForFunction(() => (document.querySelector("img")?.naturalWidth ?? 0) === 640, undefined, limit)
      )
      yield* promise(async () => {
        await page.getByRole("button", { name: `Delete ${snapshots[0]?.filename}` }).click()
        await page.getByRole("listitem").waitFor({ ...limit, state: "detached" })
        await page.getByRole("button", { name: "Undo" }).click()
        await page.getByRole("listitem").waitFor(limit)
      })
      yield* go(page, "events")
      yield* promise(() => page.getByText("snapshot.taken").waitFor(limit))
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  90_000
)

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
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  90_000
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
  60_000
)

it.live(
  "a service that starts again under the page is live again, and what was seen last stays meanwhile",
  () =>
    Effect.gen(function* () {
      const ground = yield* makeGround({ cameras: 1 })
      const first = yield* start(ground)
      yield* ready(first)
      const token = yield* first.token({ role: "viewer" })
      const { page, trespasses } = yield* openAt(first, token)
      yield* moves(page, "camera0")
      yield* first.kill("SIGTERM")
      yield* first.ended
      yield* promise(async () => {
        await page.getByText("The service cannot be reached").waitFor(limit)
        await page.locator(".picture canvas").waitFor(limit)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      const second = yield* start(ground)
      yield* ready(second)
      yield* moves(page, "camera0")
      yield* promise(() => page.getByText("The service cannot be reached").waitFor({ ...limit, state: "detached" }))
      assert.deepStrictEqual(trespasses.strangers, [])
    }),
  60_000
)

it.live(
  "a key that is revoked under the page: it stays, asks for another, and goes on",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "admin" })
      const { api_key, key_id } = yield* call.create_api_key({ role: "viewer" })
      const { page, trespasses } = yield* openAt(service, api_key)
      yield* moves(page, "camera0")
      const record = page.getByRole("button", { name: "Record camera0" })
      assert.strictEqual(yield* promise(() => record.getAttribute("aria-disabled")), "true")
      assert.match((yield* promise(() => record.getAttribute("title"))) ?? "", /needs the operator role/)
      yield* call.revoke_api_key({ key_id })
      yield* promise(async () => {
        await page.getByText("Your login is not accepted any more").waitFor(limit)
        await page.getByRole("article", { name: /^camera0/ }).waitFor(limit)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      const token = yield* service.token({ role: "operator" })
      yield* promise(async () => {
        await page.getByLabel("Token or API key").fill(token)
        await page.keyboard.press("Enter")
        await page.getByText("Your login is not accepted any more").waitFor({ ...limit, state: "detached" })
      })
      yield* moves(page, "camera0")
      assert.strictEqual(yield* promise(() => record.getAttribute("aria-disabled")), "false")
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  60_000
)

it.live(
  "a tile that is out of sight stops, and is back when it is seen; the login lasts longer than its token",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 2 })
      const token = yield* service.token({ role: "viewer", ttl: 4 })
      const { page } = yield* openConsole(service.files)
      yield* promise(async () => {
        await page.setViewportSize({ width: 600, height: 420 })
        await page.goto(`${service.files}/#token=${token}`)
      })
      yield* moves(page, "camera0")
      const plays = (device: string) =>
        promise(() =>
          page.evaluate(
            (label) => document.querySelector<HTMLVideoElement>(`video[aria-label="${label}"]`)?.srcObject !== null,
            `Live picture of ${device}`
          )
        )
      yield* promise(() => page.getByRole("article", { name: /^camera1/ }).scrollIntoViewIfNeeded())
      yield* promise(() => page.evaluate(() => scrollTo(0, document.body.scrollHeight)))
      yield* eventually(
        "camera0 stops",
        Effect.map(plays("camera0"), (isOn) => !isOn)
      )
      yield* moves(page, "camera1")
      yield* promise(() => page.evaluate(() => scrollTo(0, 0)))
      yield* moves(page, "camera0")
      yield* promise(() => page.waitForTimeout(4500))
      yield* promise(async () => {
        await page.evaluate(() => void (location.hash = "#/recordings"))
        await page.getByText("Nothing is recorded").waitFor(limit)
      })
      assert.isFalse(yield* promise(() => page.getByText("not accepted any more").isVisible()))
    }),
  60_000
)

it.live(
  "where WebRTC does not get through it is HLS, which says so and why, and stays until WebRTC is asked for",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const token = yield* service.token({ role: "viewer" })
      const { page, trespasses } = yield* openConsole(service.files)
      const refusal = { error: { data: { hint: "the offer has no codec of ours" } } }
      yield* promise(async () => {
        await page.route("**/whep/**", (route) => route.fulfill({ status: 400, json: refusal }))
        await page.goto(`${service.files}/#token=${token}`)
      })
      yield* moves(page, "camera0")
      yield* promise(() => page.getByText("HLS: the offer has no codec of ours.").waitFor(limit))
      assert.deepStrictEqual(yield* findings(page), [])
      yield* promise(async () => {
        await page.unroute("**/whep/**")
        await page.getByRole("button", { name: "Try WebRTC again" }).click()
        await page.getByText("HLS: the offer").waitFor({ ...limit, state: "detached" })
      })
      yield* moves(page, "camera0")
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  60_000
)

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
      assert.deepStrictEqual(yield* findings(page), [])
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
  60_000
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
  60_000
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
  60_000
)
