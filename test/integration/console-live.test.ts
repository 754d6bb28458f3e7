import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import type { Page, WebSocketRoute } from "playwright-core"
import { findings, go, limit, moves, openAt, openConsole, promise } from "../support/browser/Console.ts"
import { median } from "../../scripts/benchmarks/Statistics.ts"
import { block, makeHoles } from "../support/browser/Blocked.ts"
import { agesIn } from "../support/browser/PictureClock.ts"
import { eventually } from "../support/Eventually.ts"
import { makeGround, ready, start, startReady } from "../support/Service.ts"

/** Later ones do not tell how far the newest frame is. */
const tellsDelay = /^ffmpeg version n?[56]\./.test(execFileSync("ffmpeg", ["-version"], { encoding: "utf8" }))

/**
 * In this page what should happen after one of these times, in milliseconds, happens with the event `timers`, however busy the
 * machine is; the first `most` times.
 */
const holdTimers = (page: Page, milliseconds: ReadonlyArray<number>, most: number) =>
  page.addInitScript(
    ({ milliseconds: times, most: left }) => {
      const plain = window.setTimeout
      Object.assign(window, {
        setTimeout: (run: () => void, after = 0, ...rest: ReadonlyArray<unknown>) => {
          if (!times.includes(after) || left-- <= 0) return plain(run, after, ...rest)
          addEventListener("timers", run, { once: true })
          return 0
        }
      })
    },
    { milliseconds, most }
  )

/** In this page connections get through with the event `connections`. */
const holdConnections = (page: Page) =>
  page.addInitScript(() => {
    const states = Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, "connectionState")
    let isHeld = true
    addEventListener("connections", () => void (isHeld = false))
    Object.defineProperty(RTCPeerConnection.prototype, "connectionState", {
      get(this: RTCPeerConnection) {
        const state: unknown = states?.get?.call(this)
        if (!isHeld || state !== "connected") return state
        addEventListener("connections", () => this.dispatchEvent(new Event("connectionstatechange")))
        return "connecting"
      }
    })
  })

const playedHls = (page: Page) => page.evaluate(() => document.querySelector("video")?.src)

/** Another picture over HLS than that one is shown, and WebRTC is not given up. */
const playsMeanwhile = (page: Page, before: string | undefined) =>
  page.waitForFunction(
    (old) => {
      const { src = "" } = document.querySelector("video") ?? {}
      const isHls = document.querySelector(".chip.live")?.textContent.includes("HLS") === true
      return isHls && src.startsWith("blob:") && src !== old && document.querySelector(".fallback") === null
    },
    before,
    limit
  )

it.live(
  "a service that is killed and starts again under the page is live again, and what was seen last stays meanwhile",
  () =>
    Effect.gen(function* () {
      const ground = yield* makeGround({ cameras: 1 })
      const first = yield* start(ground)
      yield* ready(first)
      const token = yield* first.token({ role: "operator" })
      const { page, trespasses } = yield* openAt(first, token)
      yield* moves(page, "camera0")
      yield* promise(async () => {
        await page.getByRole("button", { name: "Record camera0" }).click()
        await page.getByRole("button", { name: /Stop recording camera0, 0:0[1-9]/ }).waitFor(limit)
      })
      // one that ends says itself what becomes of its recordings
      yield* first.kill("SIGKILL")
      yield* first.ended
      yield* promise(async () => {
        await page.getByText("The service cannot be reached").waitFor(limit)
        await page.locator(".picture canvas").waitFor(limit)
        await page.getByRole("button", { name: "Whether camera0 is still recorded is not known" }).waitFor(limit)
        await page.getByText("No live picture").waitFor(limit)
        assert.strictEqual(await page.getByRole("button", { name: "Stop recording camera0" }).count(), 0)
      })
      assert.deepStrictEqual(yield* findings(page), [])
      const show = (view: string) => promise(() => page.evaluate((to) => void (location.hash = `#/${to}`), view))
      yield* show("snapshots")
      yield* promise(() => page.getByText("Waits for the service…").waitFor(limit))
      const second = yield* start(ground)
      yield* ready(second)
      yield* promise(() => page.getByText("There is no snapshot").waitFor(limit))
      yield* show("")
      yield* moves(page, "camera0")
      yield* promise(async () => {
        await page.getByRole("button", { name: "Stop recording camera0" }).waitFor(limit)
        await page.getByText("The service cannot be reached").waitFor({ ...limit, state: "detached" })
      })
      assert.deepStrictEqual(trespasses.strangers, [])
    }),
  120_000
)

it.live(
  "a tile that is out of sight stops, and is back when it is seen; login and live picture last longer than their token",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 2 })
      const { page, trespasses } = yield* openConsole(service.files)
      // not before: a browser takes seconds to start on a busy machine
      const token = yield* service.token({ role: "viewer", ttl: 10 })
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
      const before = yield* promise(() => page.evaluateHandle(() => document.querySelector("video")?.srcObject))
      yield* promise(() => page.waitForTimeout(10_500))
      assert.isTrue(
        yield* promise(() => page.evaluate((old) => document.querySelector("video")?.srcObject === old, before))
      )
      yield* promise(async () => {
        await page.evaluate(() => void (location.hash = "#/recordings"))
        await page.getByText("Nothing is recorded").waitFor(limit)
      })
      assert.isFalse(yield* promise(() => page.getByText("not accepted any more").isVisible()))
      // what is left is ended without a word, too
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
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
        await holdTimers(page, [3000, 12_000], 100)
        await holdConnections(page)
        await page.route("**/whep/**", (route) => route.fulfill({ status: 400, json: refusal }))
        await page.goto(`${service.files}/#token=${token}`)
      })
      yield* moves(page, "camera0")
      yield* promise(() => page.getByText("HLS: the offer has no codec of ours.").waitFor(limit))
      assert.deepStrictEqual(yield* findings(page), [])
      const again = page.getByRole("button", { name: "Try WebRTC again" })
      const holes = yield* Effect.acquireRelease(promise(makeHoles), (made) => Effect.sync(made[Symbol.dispose]))
      yield* promise(async () => {
        await page.unroute("**/whep/**")
        await block(page, holes, ["udp", "tcp"])
        const first = await playedHls(page)
        await again.click()
        await page.getByText("HLS: the offer").waitFor({ ...limit, state: "detached" })
        await playsMeanwhile(page, first)
      })
      yield* moves(page, "camera0")
      yield* promise(async () => {
        await page.evaluate(() => dispatchEvent(new Event("timers")))
        await page.getByText("HLS: WebRTC does not get through").waitFor(limit)
      })
      yield* moves(page, "camera0")
      yield* promise(async () => {
        await page.unrouteAll()
        const second = await playedHls(page)
        await again.click()
        await page.getByText("HLS: WebRTC").waitFor({ ...limit, state: "detached" })
        // what comes late takes over from HLS
        await playsMeanwhile(page, second)
        await page.evaluate(() => dispatchEvent(new Event("connections")))
        await page.locator(".chip.live", { hasNotText: "HLS" }).waitFor(limit)
      })
      yield* moves(page, "camera0")
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "a browser without WebRTC plays HLS, and says why; what comes slowly is not asked for anew",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const token = yield* service.token({ role: "viewer" })
      const { page, trespasses } = yield* openConsole(service.files)
      const indexes: Array<string> = []
      page.on("request", (request) => {
        if (request.url().endsWith("/index.m3u8")) indexes.push(request.url())
      })
      yield* promise(async () => {
        // the time that each step may take is over for the first of them
        await holdTimers(page, [12_000], 1)
        let isLate = false
        await page.route(/\/hls\/camera0\/[^/]*\.mp4/, async (route) => {
          if (!isLate) await page.evaluate(() => dispatchEvent(new Event("timers")))
          isLate = true
          await route.continue()
        })
        await page.addInitScript(() => void Object.assign(window, { RTCPeerConnection: undefined }))
        await page.goto(`${service.files}/#token=${token}`)
        await page.getByText("HLS: this browser has no WebRTC").waitFor(limit)
      })
      yield* moves(page, "camera0")
      assert.lengthOf(indexes, 1)
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "an offer that is lost on the way is made anew with the connection to the service",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const token = yield* service.token({ role: "viewer" })
      const { page, trespasses } = yield* openConsole(service.files)
      yield* promise(async () => {
        // a busy machine may need longer for the tile that takes the first offer
        await holdTimers(page, [5000], 1)
        const sockets: Array<WebSocketRoute> = []
        await page.routeWebSocket(/\/ws$/, (socket) => {
          socket.connectToServer()
          sockets.push(socket)
        })
        await page.route("**/whep/camera0", () => new Promise(() => undefined), { times: 1 })
        await page.goto(`${service.files}/#token=${token}`)
        await page.getByText("Starting…").waitFor(limit)
        await sockets[0]?.close()
      })
      yield* moves(page, "camera0")
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "MediaMTX that is killed under the page: what was seen last stays, and it is live again over WebRTC",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const { page, trespasses } = yield* openAt(service, yield* service.token({ role: "viewer" }))
      yield* moves(page, "camera0")
      // it is live again within half a second
      const hadStill = yield* promise(() =>
        page.evaluateHandle(() => {
          const had = { still: false }
          const look = () => {
            had.still ||= document.querySelector(".picture canvas")?.checkVisibility() === true
            requestAnimationFrame(look)
          }
          look()
          return had
        })
      )
      const before = yield* promise(() => page.evaluateHandle(() => document.querySelector("video")?.srcObject))
      for (const { pid } of service.ground.running("mediamtx")) process.kill(pid, "SIGKILL")
      yield* promise(async () => {
        await page.waitForFunction(({ still }) => still, hadStill, limit)
        await page.waitForFunction((old) => document.querySelector("video")?.srcObject !== old, before, limit)
      })
      yield* moves(page, "camera0")
      assert.strictEqual(yield* promise(() => page.getByText("HLS").count()), 0)
      yield* promise(async () => {
        await page.evaluate(() => void (location.hash = "#/events"))
        await page
          .getByText(/Unhealthy|MediaMTX/)
          .first()
          .waitFor(limit)
      })
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)

it.live(
  "where UDP does not get through it is WebRTC over TCP, and says how old the picture is",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 1 })
      const token = yield* service.token({ role: "viewer" })
      const noUdp = ["--webrtc-ip-handling-policy=disable_non_proxied_udp"]
      const { page, trespasses } = yield* openConsole(service.files, noUdp)
      const offers: Array<string> = []
      page.on("request", (request) => {
        if (request.method() === "POST" && request.url().includes("/whep/")) offers.push(request.url())
      })
      yield* promise(async () => {
        // a busy machine may need longer for the tile that takes the first offer
        await holdTimers(page, [5000], 1)
        await page.addInitScript(() => {
          const peers: Array<RTCPeerConnection> = []
          Object.assign(window, {
            peers,
            RTCPeerConnection: class extends RTCPeerConnection {
              constructor(options?: RTCConfiguration) {
                super(options)
                peers.push(this)
              }
            }
          })
        })
        await page.goto(`${service.files}/#token=${token}`)
      })
      yield* moves(page, "camera0")
      const protocols = yield* promise(() =>
        page.evaluate(async () => {
          const { peers } = window as unknown as { readonly peers: ReadonlyArray<RTCPeerConnection> }
          const stats = [...((await peers[0]?.getStats())?.values() ?? [])]
          const pair = stats.find(({ nominated, type }) => type === "candidate-pair" && nominated)
          return stats.filter(({ id }) => id === pair?.localCandidateId).map(({ protocol }) => protocol)
        })
      )
      assert.deepStrictEqual(protocols, ["tcp"])
      // the tile shows what was asked for before there was a tile
      assert.deepStrictEqual(offers, [`${service.files}/whep/camera0`])
      const chip = page.locator(".chip.live")
      // a busy machine shows each picture as late as it can: the badge tells of the usual one
      yield* eventually(
        "the badge says what the clock in the pictures says",
        Effect.gen(function* () {
          const told = (yield* promise(() => chip.textContent())) ?? ""
          if (!tellsDelay) return /^Live · ≥ \d+ ms$/.test(told)
          const delay = Number(/^Live · (\d+) ms$/.exec(told)?.[1])
          return Math.abs(delay - median(yield* promise(() => agesIn(page, 15)))) < 50
        }),
        60_000
      )
      assert.match(
        (yield* promise(() => chip.getAttribute("title"))) ?? "",
        tellsDelay
          ? /\d+ ms in camera and encoder, \d+ ms on the way, \d+ ms in this browser/
          : /\d+ ms on the way, \d+ ms in this browser. What the camera and its encoder take before/
      )
      // for fingers and keys, which do not hover
      yield* go(page, "camera/camera0")
      yield* promise(() => page.getByText(/^Over WebRTC\. .* \d+ ms in this browser/).waitFor(limit))
      assert.deepStrictEqual(trespasses, { errors: [], strangers: [] })
    }),
  120_000
)
