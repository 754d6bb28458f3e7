import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import type { Browser, Page, WebSocketRoute } from "playwright-core"
import { clocksIn } from "../../test/support/browser/PictureClock.ts"
import { peerLogin, startPeer } from "../../test/support/RtspPeer.ts"
import { openBare } from "./BareWall.ts"
import type { Benchmark, Measurement, Run } from "./Benchmark.ts"
import { makeIdle } from "./Cameras.ts"
import { inChromium, leave } from "./Chromium.ts"
import { dropped, rate, tiles } from "./ConsoleDropped.ts"
import { barePresses, presses } from "./ConsolePresses.ts"
import type { Rpc } from "./Rpc.ts"
import { makeGround, type Service, startReady } from "./Service.ts"
import { median, slowest, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

/** 640x360 at 15/s, half a megabit, a keyframe a second. */
const makeVideo = (folder: string): string => {
  const file = join(folder, "wall.mp4")
  const picture = ["-f", "lavfi", "-i", `testsrc2=s=640x360:r=${rate}`, "-t", "10"]
  const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "baseline", "-g", String(rate), "-b:v", "500k"]
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...picture, ...h264, "-pix_fmt", "yuv420p", file])
  return file
}

/** A wall with so many of the cameras. */
const open = async (
  browser: Browser,
  { ground }: Service,
  shown: number,
  prepare: (page: Page) => Promise<unknown>
): Promise<Page> => {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 } })).newPage()
  await prepare(page)
  await page.goto(`http://127.0.0.1:${ground.ports.SERVER_PORT}/#token=${ground.token}`)
  await page.waitForFunction((count) => document.querySelectorAll(".picture.playing").length === count, shown, {
    timeout: 60_000
  })
  return page
}

/** A list of cameras that ends after so many. */
const withFewer = (message: string, count: number): string => {
  const told = JSON.parse(message)
  if (!Array.isArray(told.result?.cameras)) return message
  return JSON.stringify({ ...told, result: { ...told.result, cameras: told.result.cameras.slice(0, count) } })
}

/** All tiles play the stream of this camera: this machine is to decode as much, and not to encode it too. */
const shareStream = (page: Page, device: string): Promise<unknown> =>
  page.route(/\/whep\/camera\d+$/, async (route) => {
    const response = await route.fetch({
      // a connection that is kept may be closed by the service as it is used again
      maxRetries: 3,
      url: route
        .request()
        .url()
        .replace(/camera\d+$/, device)
    })
    await route.fulfill({ response })
  })

/** What a busy site tells in a day: a snapshot a minute, a recording a camera and hour, a camera that comes and goes. */
const dayOfEvents = 24 * 60 * 3

const heap = async (page: Page, socket: WebSocketRoute): Promise<Measurement> => {
  const devtools = await page.context().newCDPSession(page)
  const used = async (): Promise<number> => {
    await devtools.send("HeapProfiler.collectGarbage")
    return (await devtools.send("Runtime.getHeapUsage")).usedSize / 1024 / 1024
  }
  let told = 0
  const tell = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const device = `camera${told % tiles}`
      const timestamp = new Date(Date.now() + told * 20_000).toISOString()
      const filename = `${device}_${told}.mp4`
      const recording = { device, status: told % 2 === 0 ? "RECORDING" : "STOPPED", filename, duration: 1 }
      const topic = told % 2 === 0 ? "recording.start" : "recording.stop"
      const event = { topic, device, timestamp, data: recording }
      socket.send(JSON.stringify({ jsonrpc: "2.0", method: "recording_status_update", params: recording }))
      socket.send(JSON.stringify({ jsonrpc: "2.0", method: "event", params: event }))
      if (told++ % 50 === 0) await pause(20)
    }
    await pause(1000)
  }
  await page.getByRole("navigation").getByRole("link", { name: "Events" }).click()
  // the log is full from then on
  await tell(1000)
  const before = await used()
  await tell(dayOfEvents)
  const after = await used()
  return {
    name: "console-wall.heap",
    value: 100 * (after / before - 1),
    detail: `${before.toFixed(1)} to ${after.toFixed(1)} MB after ${told} events`
  }
}

const together = ["camera0", "camera1", "camera2", "camera3"]

/** How far apart the clocks are in the pictures of four cameras that were idle, and play what was recorded of them at once. */
const skew = async (rpc: Rpc, page: Page, count: number): Promise<Measurement> => {
  for (const device of together) await makeIdle(rpc, device)
  for (const device of together) await rpc.call("start_recording", { device })
  await pause(20_000)
  for (const device of together) await rpc.call("stop_recording", { device })
  const at = new Date(Date.now() - 18_000).toISOString()
  await page.evaluate((time) => void (location.hash = `#/recordings/camera0/${time}`), at)
  for (const device of together.slice(1)) await page.getByRole("button", { name: `${device} in step` }).click()
  await pause(3000)
  const found: Array<number> = []
  for (let i = 0; i < count; i++) {
    const clocks = await clocksIn(page, ".recorded video")
    found.push(Math.max(...clocks) - Math.min(...clocks))
    await pause(200)
  }
  return { name: "console-wall.skew", value: median(found), detail: summary(found) }
}

const measure = async (url: string, { say, times }: Run): Promise<ReadonlyArray<Measurement>> => {
  await using service = await startReady(tiles - 1, { EXTERNAL_ALLOWED_HOSTS: "127.0.0.1/32" })
  using rpc = await service.connect()
  const stream_url = url.replace("//", `//${peerLogin.user}:${peerLogin.password}@`)
  const { device } = await rpc.call<{ readonly device: string }>("add_external_stream", {
    stream_url,
    stream_name: "wall"
  })
  return await inChromium(async (browser): Promise<ReadonlyArray<Measurement>> => {
    const sockets: Array<WebSocketRoute> = []
    const openWith = (shown: number) =>
      open(browser, service, shown, async (opened) => {
        await shareStream(opened, device)
        await opened.routeWebSocket(/\/ws$/, (socket) => {
          sockets.push(socket)
          socket.connectToServer().onMessage((message) => socket.send(withFewer(String(message), shown)))
        })
      })
    const openVideos = (shown: number) => openBare(browser, service, shown, device)
    const wall = await dropped(openWith, openVideos, say)
    say("presses")
    const videos = await openVideos(tiles)
    const bare = await barePresses(videos, times(50))
    await leave(videos)
    const page = await openWith(tiles)
    const pressed = await presses(page, Math.max(1, times(5)))
    const detail = `${pressed.words}; a button on a page of 16 bare videos: ${summary(bare)}`
    const inp = { name: "console-wall.inp", value: slowest(pressed.all), detail }
    say("four in step")
    const apart = await skew(rpc, page, times(40))
    say("a day of events")
    const socket = sockets.at(-1)
    if (socket === undefined) throw new Error("the page has no connection")
    return [...wall, inp, apart, await heap(page, socket)]
  })
}

/** A wall of 16 cameras in one page: what is dropped, how fast it answers, and what it holds after a day. */
export const consoleLoad: Benchmark = async (run) => {
  using ground = await makeGround()
  const measured = Effect.flatMap(startPeer(ground.folder, makeVideo(ground.folder)), ({ url }) =>
    Effect.promise(() => measure(url, run))
  )
  return await Effect.runPromise(Effect.scoped(measured))
}
