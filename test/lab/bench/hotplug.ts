import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { readdir, realpath, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { WebSocket } from "ws"
import { makeGround, ready, type Service, start } from "../../support/Service.ts"
import { plug } from "../camera/UvcCamera.ts"
import { mjpg } from "../vm/Formats.ts"
import { footprintOf } from "./Footprint.ts"
import { kernelEvents, monotonicSeconds } from "./KernelEvents.ts"

/*
 * Runs in the machine: from the kernel's event to the notification at a client, and what many plugs leave behind.
 *
 *   hotplug.ts PLUGS CYCLES FILE
 *
 * PLUGS: a USB camera is plugged in and pulled out so often. CYCLES: after that, its driver is unbound and bound so often,
 * which makes and removes its nodes without the hub's 0.3 s. FILE gets the figures, in milliseconds, as JSON.
 */

const [plugs = 0, cycles = 0] = process.argv.slice(2, 4).map(Number)
const file = process.argv[4] ?? ""
const patience = "60 seconds"

const spec = { name: "Measured", serial: "MEASURED", formats: [mjpg(640, 480, 30, 15), mjpg(320, 240, 30, 15)] }

/** A client that stamps what it is told before it looks at it. */
const connect = Effect.fnUntraced(function* (service: Service) {
  const token = yield* service.token({ role: "admin", ttl: 3600 })
  const waiting: Array<{ readonly status: string; readonly resume: (at: number) => void }> = []
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const made = new WebSocket(service.url, { perMessageDeflate: false })
      made.once("open", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.sync(() => made.terminate())
  )
  socket.on("message", (data: Buffer) => {
    const at = monotonicSeconds()
    const { method, params } = JSON.parse(data.toString()) as {
      readonly method?: string
      readonly params?: { readonly name: string; readonly status: string; readonly device: string }
    }
    if (method !== "camera_status_update" || params?.name !== spec.name) return
    const [first] = waiting
    if (first?.status === params.status) {
      waiting.shift()
      first.resume(at)
    }
  })
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "authenticate", params: { auth_token: token } }))
  yield* Effect.promise(() => new Promise((resolve) => socket.once("message", resolve)))
  /** when it was told that the camera has this status */
  return (status: string) =>
    Effect.callback<number>((resume) => {
      waiting.push({ status, resume: (at) => resume(Effect.succeed(at)) })
    })
})

/** The USB interface that the camera's driver is bound to: `3-1:1.0`. */
const interfaceOf = Effect.promise(async () => {
  for (const node of await readdir("/sys/class/video4linux")) {
    const device = await realpath(join("/sys/class/video4linux", node, "device"))
    if (device.includes("vhci_hcd")) return basename(device)
  }
  throw new Error("there is no USB camera")
})

const pathIsThere = async (port: number, name: string): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/v3/config/paths/get/${name}`)).ok

const main = Effect.gen(function* () {
  const ground = yield* makeGround({ cameras: 0, isBuilt: true, settings: { CAMERAS_V4L2: "true" } })
  const service = yield* start(ground, { within: patience })
  yield* ready(service, patience)
  yield* Effect.addFinalizer((exit) =>
    Effect.sync(() => {
      if (Exit.isFailure(exit)) process.stderr.write(service.stderr().slice(-6000))
    })
  )
  const told = yield* connect(service)
  const events = yield* kernelEvents
  const footprint = Effect.promise(() => footprintOf(service.pid, ground.processes(), ground.ports.api))
  const plugged: Array<number> = []
  const unplugged: Array<number> = []
  const paths: Array<number> = []

  for (let round = 0; round < plugs; round++) {
    yield* events.clear
    const usb = yield* Scope.make()
    const [, kernel, client] = yield* Effect.all(
      [plug(spec, round % 8).pipe(Scope.provide(usb)), events.next("add"), told("CONNECTED")],
      { concurrency: "unbounded" }
    ).pipe(Effect.timeout(patience))
    plugged.push((client - kernel.at) * 1000)
    if (round === 0) {
      // from then on it keeps its path
      while (!(yield* Effect.promise(() => pathIsThere(ground.ports.api, "camera2")))) yield* Effect.yieldNow
      paths.push((monotonicSeconds() - client) * 1000)
    }
    const [, gone, heard] = yield* Effect.all(
      [Scope.close(usb, Exit.void), events.next("remove"), told("DISCONNECTED")],
      { concurrency: "unbounded" }
    ).pipe(Effect.timeout(patience))
    unplugged.push((heard - gone.at) * 1000)
  }

  yield* Effect.all([plug(spec, 0), told("CONNECTED")], { concurrency: "unbounded" })
  const driver = "/sys/bus/usb/drivers/uvcvideo"
  const usbInterface = yield* interfaceOf
  const cycle = Effect.gen(function* () {
    yield* Effect.all([Effect.promise(() => writeFile(join(driver, "unbind"), usbInterface)), told("DISCONNECTED")], {
      concurrency: "unbounded"
    })
    yield* Effect.all([Effect.promise(() => writeFile(join(driver, "bind"), usbInterface)), told("CONNECTED")], {
      concurrency: "unbounded"
    })
  }).pipe(Effect.timeout(patience))
  // what is loaded or grows once, does it in the first ones
  const warmUp = Math.min(20, cycles)
  for (let round = 0; round < warmUp; round++) yield* cycle
  const before = yield* footprint
  for (let round = 0; round < cycles; round++) yield* cycle
  const after = yield* footprint
  writeFileSync(file, JSON.stringify({ plugged, unplugged, paths, before, after }))
}).pipe(Effect.scoped)

NodeRuntime.runMain(main.pipe(Effect.provide(Logger.layer([]))))
