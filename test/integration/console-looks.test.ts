import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { findings, go, limit, moves, openConsole, promise } from "../support/browser/Console.ts"
import { difference } from "../support/browser/Looks.ts"
import { clientOf, startReady } from "../support/Service.ts"

const desk = { width: 1000, height: 700 }
const phone = { width: 360, height: 720 }

it.live(
  "every view looks as it did when somebody looked at it: light, dark, and on a phone",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 2 })
      const { call } = yield* clientOf(service, { role: "admin" })
      yield* call.take_snapshot({ device: "camera0" })
      yield* call.take_snapshot({ device: "camera1" })
      yield* call.start_recording({ device: "camera0" })
      yield* Effect.sleep("2 seconds")
      yield* call.stop_recording({ device: "camera0" })
      yield* call.create_api_key({ role: "viewer", description: "the wall" })
      const { page, trespasses } = yield* openConsole(service.files)
      const differences: Array<string> = []
      const look = Effect.fnUntraced(function* (name: string) {
        for (const [size, colorScheme, suffix] of [
          [desk, "light", "light"],
          [desk, "dark", "dark"],
          [phone, "light", "phone"]
        ] as const) {
          const percent = yield* promise(async () => {
            await page.setViewportSize(size)
            await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
            // a tile is laid out anew
            await page.waitForTimeout(100)
            return difference(page, `${name}-${suffix}`)
          })
          if (percent > 0) differences.push(`${name}-${suffix}: ${percent.toFixed(1)} % differ`)
        }
      })
      const scripts = Promise.withResolvers<void>()
      yield* promise(async () => {
        await page.route(/\.js$/, (script) => scripts.promise.then(() => script.continue()))
        await page.goto(service.files, { waitUntil: "commit" })
        await page.getByRole("heading", { name: "Camera service" }).waitFor(limit)
      })
      // before its first script is there
      yield* look("opening")
      assert.deepStrictEqual(yield* findings(page), [])
      yield* promise(async () => {
        scripts.resolve()
        await page.getByLabel("Token or API key").waitFor(limit)
      })
      yield* look("login")
      const token = yield* service.token({ role: "admin" })
      yield* promise(async () => {
        await page.setViewportSize(desk)
        await page.getByLabel("Token or API key").fill(token)
        await page.keyboard.press("Enter")
      })
      yield* moves(page, "camera0")
      yield* look("cameras")
      for (const [name, view] of [
        ["camera", "camera/camera0"],
        ["recordings", "recordings"],
        ["snapshots", "snapshots"],
        ["events", "events"],
        ["system", "system"],
        ["administration", "administration"]
      ] as const) {
        yield* go(page, view)
        yield* look(name)
      }
      yield* promise(() => page.setViewportSize(desk))
      yield* service.kill("SIGTERM")
      yield* promise(() => page.getByText("The service cannot be reached").waitFor(limit))
      yield* look("lost")
      assert.deepStrictEqual(yield* findings(page), [])
      assert.deepStrictEqual(differences, [], "what is to be seen is in dist/looks")
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
