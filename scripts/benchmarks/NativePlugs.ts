import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import { usbCamera } from "../../testing/Sysfs.ts"
import type { Run } from "./Benchmark.ts"
import { onPlayedKernel } from "./PlayedKernel.ts"
import { residentMegabytes } from "./Proc.ts"
import { socketOptions } from "./Rpc.ts"
import type { Service } from "./Service.ts"
import { pause } from "./Waiting.ts"

export interface NativeFigures {
  /** milliseconds from the node's appearance to the notification */
  readonly plugged: ReadonlyArray<number>
  readonly unplugged: ReadonlyArray<number>
  /** from the notification to MediaMTX's path */
  readonly paths: ReadonlyArray<number>
  /** MB of the service at rest: when it knows all cameras, and after all plugs */
  readonly resident: { readonly before: number; readonly after: number }
}

/** Each has a path in the end, and MediaMTX takes the longer for one the more there are. */
const cameras = 50
const warmUp = 5
/** What work took is given back when there is none, at most every 10 seconds (src/self/Memory.ts). */
const rest = 45_000

interface Update {
  readonly name: string
  readonly status: string
  readonly device: string
}

/** A client that tells when a camera has another status. */
const listen = async ({ ground, url }: Service) => {
  const waiting = new Map<string, PromiseWithResolvers<Update & { readonly at: number }>>()
  const socket = new WebSocket(url, socketOptions)
  const authenticated = Promise.withResolvers<void>()
  socket.on("open", () =>
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "authenticate", params: { auth_token: ground.token } }))
  )
  socket.on("message", (data: Buffer) => {
    const at = performance.now()
    const { method, params } = JSON.parse(data.toString()) as { readonly method?: string; readonly params?: Update }
    if (method === undefined) authenticated.resolve()
    else if (params !== undefined) waiting.get(`${params.name} ${params.status}`)?.resolve({ ...params, at })
  })
  await authenticated.promise
  return {
    hear: (name: string, status: string) => {
      const told = Promise.withResolvers<Update & { readonly at: number }>()
      waiting.set(`${name} ${status}`, told)
      return told.promise
    },
    close: () => socket.terminate()
  }
}

/** What is left of a plug without the device and the emulation. */
export const nativePlugs = ({ say, times }: Run): Promise<NativeFigures> =>
  onPlayedKernel({ settings: {}, formats: ["MJPG", "YUYV"] }, async (kernel, service) => {
    const client = await listen(service)
    const figures = { plugged: new Array<number>(), unplugged: new Array<number>(), paths: new Array<number>() }
    // a camera keeps its path from its first time on
    const known = new Set<string>()
    say("cameras of files")
    // the service loads what it needs for its first camera, which a box has long before anybody plugs in the second
    const atRest = async (): Promise<number> => {
      await pause(rest)
      return residentMegabytes(service.pid)
    }
    const resident = { before: 0, after: 0 }
    for (let round = -warmUp; round < times(3000); round++) {
      if (round === cameras) resident.before = await atRest()
      const number = (round + warmUp) % cameras
      const node = `video${number}`
      await Effect.runPromise(kernel.describe(node, usbCamera({ port: `1-${number}`, serial: `SN${number}` })))
      const connected = client.hear(`Camera ${node}`, "CONNECTED")
      const began = performance.now()
      await Effect.runPromise(kernel.appear(node))
      const { at, device } = await connected
      if (!known.has(device)) {
        while (!(await service.isReady()));
        if (round >= 0) figures.paths.push(performance.now() - at)
        known.add(device)
      }
      const disconnected = client.hear(`Camera ${node}`, "DISCONNECTED")
      const pulled = performance.now()
      await Effect.runPromise(kernel.unplug(node))
      const { at: missed } = await disconnected
      if (round < 0) continue
      figures.plugged.push(at - began)
      figures.unplugged.push(missed - pulled)
    }
    client.close()
    resident.after = await atRest()
    return { ...figures, resident }
  })
