import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { findings, limit, moves, openAt, promise } from "../support/browser/Console.ts"
import { eventually } from "../support/Eventually.ts"
import { servePtz } from "../support/PtzServer.ts"
import { makeVideo, peerLogin, startPeer } from "../support/RtspPeer.ts"
import { clientOf, makeGround, ready, start } from "../support/Service.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

it.live(
  "a camera in the network is moved while a button is held; when it goes away the page says why, and when it is back it is live",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const peer = yield* startPeer(folder, makeVideo(folder))
      const { address, calls } = yield* servePtz(peer.url)
      const ground = yield* makeGround({ cameras: 0, settings: { EXTERNAL_ALLOWED_HOSTS: "127.0.0.1" } })
      const service = yield* start(ground)
      yield* ready(service)
      const { call } = yield* clientOf(service, { role: "operator" })
      const stream_url = address.replace("//", `//${peerLogin.user}:${peerLogin.password}@`)
      const { device } = yield* call.add_external_stream({ stream_url, stream_name: "dome", stream_type: "onvif" })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "operator" }))
      yield* promise(() => page.getByRole("article", { name: new RegExp(`^${device}`) }).waitFor(limit))
      yield* moves(page, device)
      yield* promise(async () => {
        await page.evaluate((to) => void (location.hash = `#/camera/${to}`), device)
        await page.getByText("It moves while a button is held.").waitFor(limit)
        const left = page.getByRole("button", { name: "Pan left" })
        await left.hover(limit)
        await page.mouse.down()
        // it is told anew while the button is held: it would stop by itself
        while (calls.filter((name) => name === "ContinuousMove").length < 2) await page.waitForTimeout(20)
        await page.mouse.up()
      })
      yield* eventually(
        "it is stopped",
        Effect.sync(() => calls.includes("Stop"))
      )
      yield* promise(async () => {
        await page.getByRole("button", { name: "Zoom in" }).focus()
        await page.keyboard.down("Enter")
        await page.keyboard.up("Enter")
      })
      yield* eventually(
        "it is stopped again",
        Effect.sync(() => calls.filter((name) => name === "Stop").length >= 2)
      )
      assert.deepStrictEqual(yield* findings(page), [])
      yield* peer.stop
      yield* promise(() => page.locator(".obstacle .what").waitFor(limit))
      assert.deepStrictEqual(yield* findings(page), [])
      yield* peer.publish
      yield* moves(page, device)
      yield* promise(() => page.evaluate(() => void (location.hash = "#/")))
      const tile = page.getByRole("article", { name: new RegExp(`^${device}`) })
      yield* promise(() => tile.waitFor(limit))
      yield* call.remove_external_stream({ stream_url })
      yield* promise(() => tile.waitFor({ ...limit, state: "detached" }))
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
