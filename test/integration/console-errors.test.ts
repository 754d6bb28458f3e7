import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { WebSocketRoute } from "playwright-core"
import { findings, go, limit, moves, openConsole, promise } from "../support/browser/Console.ts"
import { startReady } from "../support/Service.ts"

/** What a page asks for before it shows anything. */
const spared = new Set(["authenticate", "subscribe_events", "get_server_info"])

it.live(
  "a service that cannot answer: each view says so, is asked again there, and shows then what it has",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const token = yield* service.token({ role: "admin" })
      const { page, trespasses } = yield* openConsole(service.files)
      let isBroken = true
      yield* promise(async () => {
        await page.routeWebSocket(/\/ws$/, (socket) => {
          const server = socket.connectToServer()
          socket.onMessage((message) => {
            const { id, method } = JSON.parse(String(message))
            if (!isBroken || spared.has(method)) return server.send(message)
            const error = { code: -32603, message: "Internal error", data: { request_id: "1" } }
            socket.send(JSON.stringify({ jsonrpc: "2.0", id, error }))
          })
        })
        await page.goto(`${service.files}/#token=${token}`)
      })
      const again = page.getByRole("button", { name: "Try again" })
      yield* promise(() => again.waitFor(limit))
      for (const view of ["", "camera/camera0", "recordings", "snapshots", "system", "administration"]) {
        yield* go(page, view)
        yield* promise(() => again.first().waitFor(limit))
        assert.deepStrictEqual(yield* findings(page), [], view)
      }
      isBroken = false
      yield* go(page, "recordings")
      yield* promise(() => page.getByText("Nothing is recorded").waitFor(limit))
      isBroken = true
      yield* go(page, "snapshots")
      yield* promise(() => again.waitFor(limit))
      isBroken = false
      yield* promise(async () => {
        await again.click()
        await page.getByText("There is no snapshot").waitFor(limit)
        await page.evaluate(() => void (location.hash = "#/"))
        await again.click()
      })
      yield* moves(page, "camera0")
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "what a program said itself, and why there is no connection, is opened by a press: in the events, at the camera, in the banner",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const token = yield* service.token({ role: "viewer" })
      const { page, trespasses } = yield* openConsole(service.files)
      const sockets: Array<WebSocketRoute> = []
      let isGone = false
      yield* promise(async () => {
        await page.routeWebSocket(/\/ws$/, (socket) => {
          if (isGone) return void socket.close()
          socket.connectToServer()
          sockets.push(socket)
        })
        await page.goto(`${service.files}/#token=${token}`)
      })
      yield* moves(page, "camera0")
      const said = "ffmpeg ended with status 224: av_interleaved_write_frame(): Broken pipe"
      const reason = `the media server did not take the stream any more (${said})`
      const data = { device: "camera0", status: "ERROR", filename: "a.mp4", duration: 1, reason }
      const trouble = { topic: "recording.error", device: "camera0", timestamp: new Date().toISOString(), data }
      const tell = (method: string, params: unknown) =>
        sockets[0]?.send(JSON.stringify({ jsonrpc: "2.0", method, params }))
      const opened = (name: string) =>
        promise(async () => {
          await page.locator("summary", { hasText: name }).press("Enter", limit)
          return page.locator("details[open] > :not(summary)").textContent(limit)
        })
      tell("recording_status_update", data)
      tell("event", trouble)
      // a tile has no room for it
      assert.strictEqual(yield* promise(() => page.locator(".tile summary").count()), 0)
      yield* go(page, "events")
      assert.strictEqual(yield* opened("What FFmpeg said"), said)
      // the same once more is the same row: what was opened stays so
      tell("event", trouble)
      yield* promise(() => page.getByText("2×").waitFor(limit))
      assert.strictEqual(yield* promise(() => page.locator("details[open]").count()), 1)
      assert.deepStrictEqual(yield* findings(page), [])
      yield* go(page, "camera/camera0")
      assert.strictEqual(yield* opened("What FFmpeg said"), said)
      assert.deepStrictEqual(yield* findings(page), [])
      yield* go(page, "snapshots")
      isGone = true
      yield* promise(async () => sockets[0]?.close())
      assert.match((yield* opened("Why")) ?? "", /connection/i)
      assert.deepStrictEqual(yield* findings(page), [])
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
