import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { findings, go, limit, moves, openAt, openConsole, promise } from "../support/browser/Console.ts"
import { clientOf, startReady } from "../support/Service.ts"

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
        await page.getByRole("button", { name: "Play it" }).click()
        await page.locator(".recorded video").waitFor(limit)
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
      yield* promise(() => page.getByText("Snapshot taken").waitFor(limit))
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "a press is answered by the next frame: where it leads is marked, and what was there is still there",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { page } = yield* openAt(service, yield* service.token({ role: "viewer" }))
      yield* promise(async () => {
        await page.getByRole("article", { name: /^camera0/ }).waitFor(limit)
        const next = await page.evaluateHandle(() => {
          const seen: { marked?: string; isThere?: boolean } = {}
          const look = () => {
            seen.marked = document.querySelector("nav [aria-current]")?.textContent ?? ""
            seen.isThere = document.querySelector(".wall") !== null
          }
          addEventListener("hashchange", () => requestAnimationFrame(look), { once: true })
          return seen
        })
        await page.getByRole("navigation").getByRole("link", { name: "Snapshots" }).click()
        await page.getByText("There is no snapshot").waitFor(limit)
        assert.deepStrictEqual(await next.jsonValue(), { marked: "Snapshots", isThere: true })
        assert.strictEqual(await page.locator(".wall").count(), 0)
      })
    }),
  120_000
)

it.live(
  "a key that is revoked under the page: it stays, asks for another, and goes on",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { call } = yield* clientOf(service, { role: "admin" })
      const { api_key, key_id } = yield* call.create_api_key({ role: "viewer" })
      yield* call.start_recording({ device: "camera0" })
      const { page, trespasses } = yield* openAt(service, api_key)
      yield* moves(page, "camera0")
      // how long it is recorded is read also by who may not stop it
      yield* promise(() => page.getByRole("button", { name: /Stop recording camera0, 0:[0-9]/ }).waitFor(limit))
      assert.deepStrictEqual(yield* findings(page), [])
      yield* call.stop_recording({ device: "camera0" })
      const record = page.getByRole("button", { name: "Record camera0" })
      assert.strictEqual(yield* promise(() => record.getAttribute("aria-disabled")), "true")
      assert.match((yield* promise(() => record.getAttribute("title"))) ?? "", /needs the operator role/)
      yield* call.revoke_api_key({ key_id })
      yield* promise(async () => {
        await page.getByText("Your login is not accepted any more").waitFor(limit)
        await page.getByRole("link", { name: "Log in again" }).waitFor(limit)
        await page.getByRole("article", { name: /^camera0/ }).waitFor(limit)
        await page.setViewportSize({ width: 320, height: 640 })
      })
      assert.deepStrictEqual(yield* findings(page), [])
      yield* promise(async () => {
        await page.evaluate(() => void (location.hash = "#/snapshots"))
        await page.getByText("Waits for your login…").waitFor(limit)
        const isWider = await page
          .locator(".banner")
          .evaluate(({ clientWidth, scrollWidth }) => scrollWidth > clientWidth)
        assert.isFalse(isWider, "the login is wider than a phone")
        await page.evaluate(() => void (location.hash = "#/"))
      })
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
  120_000
)

it.live(
  "a token that expires under the page and is not renewed: it stays as it is, asks for another, and goes on",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { page, trespasses } = yield* openConsole(service.files)
      yield* promise(() =>
        page.routeWebSocket(/\/ws$/, (socket) => {
          const server = socket.connectToServer()
          server.onMessage((message) => socket.send(message))
          socket.onMessage((message) => {
            const { id, method } = JSON.parse(String(message))
            if (method !== "refresh_token") return server.send(message)
            const data = { state: "a token of another issuer", allowed_states: [], _tag: "InvalidState" }
            socket.send(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32020, message: "Invalid State", data } }))
          })
        })
      )
      const token = yield* service.token({ role: "operator", ttl: 6 })
      yield* promise(() => page.goto(`${service.files}/#token=${token}`))
      yield* moves(page, "camera0")
      yield* go(page, "camera/camera0")
      yield* promise(async () => {
        await page.getByText("Your login is not accepted any more").waitFor(limit)
        await page.getByRole("heading", { name: /^camera0/ }).waitFor(limit)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      const next = yield* service.token({ role: "viewer" })
      yield* promise(async () => {
        await page.getByLabel("Token or API key").fill(next)
        await page.keyboard.press("Enter")
        await page.getByText("Your login is not accepted any more").waitFor({ ...limit, state: "detached" })
        await page.getByRole("heading", { name: /^camera0/ }).waitFor(limit)
      })
      yield* moves(page, "camera0")
      // the new role may do less, and the page says so
      const record = page.getByRole("button", { name: "Record" })
      assert.match((yield* promise(() => record.getAttribute("title"))) ?? "", /needs the operator role/)
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
