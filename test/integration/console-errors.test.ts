import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
