import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { basename, join } from "node:path"
import { errnoName, type Ioctl } from "../../ground/KernelCalls.ts"
import { KernelFiles } from "../../ground/KernelFiles.ts"
import type { Format, FrameSize, Mode } from "../Device.ts"
import {
  bufferType,
  type Call,
  type Capability,
  currentMode,
  formatAt,
  frameRates,
  frameSizes,
  getFormat,
  isCamera,
  queryCapability,
  requestNoBuffers
} from "./Ioctl.ts"
import { Kernel, KernelError, type OpenNode } from "./Kernel.ts"
import { mediaSerial } from "./MediaSerial.ts"
import { locate, nameOf, type NodeLocation, serialFile, tidy, withSerial } from "./NodeLocation.ts"
import { makeTurns } from "./Turns.ts"

/** What a node says it is; `formats` is empty unless it is a camera. */
export interface NodeInfo extends Capability {
  readonly formats: ReadonlyArray<Format>
}

/** They answer what is asked here from memory even while they wait for their device; others lock each call. */
const unlocked: ReadonlySet<string> = new Set(["uvcvideo"])

/** More than any device lists. */
const maxFormats = 64
/** For drivers that neither list their rates nor say which is set. */
const usualRate = 30

/** The V4L2 nodes as the kernel describes them. A device that hangs holds up no other: TIMEOUT after 2 s. */
export class V4l2Nodes extends Context.Service<
  V4l2Nodes,
  {
    /** Takes its 12 ms of the event loop now, and none when the first camera comes. */
    readonly prepare: Effect.Effect<void>
    /** Where the node (`video0`) is plugged in. */
    readonly location: (node: string) => Effect.Effect<NodeLocation, KernelError>
    /** What its driver calls the node (`video0`): known even where it may not be opened. */
    readonly name: (node: string) => string
    /** Asks the node at this path what it is. Streaming by others goes on undisturbed. */
    readonly probe: (path: string) => Effect.Effect<NodeInfo, KernelError>
    /** Whether the camera at this path delivers to nobody now, so that we could have it. */
    readonly isFree: (path: string) => Effect.Effect<boolean>
  }
>()("camera-service/device/v4l2/V4l2Nodes") {
  static readonly layer = Layer.effect(
    V4l2Nodes,
    Effect.gen(function* () {
      const kernel = yield* Kernel
      const files = yield* KernelFiles
      const entryOf = (node: string): string => join(files.sys, "class", "video4linux", node)

      const location = Effect.fn("V4l2Nodes.location")(function* (node: string) {
        const there = locate(files, entryOf(node))
        if (there.usb === undefined) return withSerial(there, "")
        const { device, interface: folder } = there.usb
        const file = serialFile(device)
        const known = yield* Effect.map(kernel.readSoon(file), (text) => text ?? "").pipe(
          Effect.catchIf(
            ({ code }) => code === "LATE",
            () => mediaSerial(kernel, files, folder)
          )
        )
        return withSerial(there, tidy(known ?? (yield* kernel.read(file)) ?? ""))
      })

      const driverOf = (path: string): string =>
        basename(files.target(join(entryOf(basename(path)), "device", "driver")) ?? "")

      const capabilityOf = Effect.fnUntraced(function* (path: string) {
        const node = yield* kernel.open(path)
        // whoever has another program's lock to wait for waits here, in a thread; the rest is then answered at once
        if (!unlocked.has(driverOf(path))) yield* call(node, getFormat(1))
        const capability = queryCapability(node.ioctl)
        return typeof capability === "number"
          ? yield* new KernelError({ code: errnoName(capability) })
          : { node, capability, type: bufferType(capability.deviceCaps) }
      })

      const probe = Effect.fn("V4l2Nodes.probe")(function* (path: string) {
        const { capability, node, type } = yield* capabilityOf(path)
        if (!isCamera(capability.deviceCaps)) return { ...capability, formats: [] }
        const current = unlocked.has(capability.driver) ? undefined : currentMode(node.ioctl, type)
        return { ...capability, formats: yield* enumerate(node.ioctl, type, current) }
      }, Effect.scoped)

      const isFree = Effect.fn("V4l2Nodes.isFree")(
        function* (path: string) {
          const { node, type } = yield* capabilityOf(path)
          return yield* call(node, requestNoBuffers(type))
        },
        Effect.scoped,
        // some drivers let nobody else even open it
        Effect.orElseSucceed(() => false)
      )

      return V4l2Nodes.of({
        prepare: kernel.prepare,
        location,
        name: (node) => nameOf(files, entryOf(node)),
        probe,
        isFree
      })
    })
  )
}

const call = (node: OpenNode, { argument, request }: Call) => node.ioctlAsync(request, argument)

/**
 * All formats with their sizes and rates; up to a few hundred ioctls, so others have their turn meanwhile.
 * `current` stands in where the driver lists none.
 */
export const enumerate = Effect.fnUntraced(function* (ioctl: Ioctl, type: number, current?: Mode) {
  const formats = new Map<string, Format>()
  const turn = yield* makeTurns
  for (let index = 0; index < maxFormats; index++) {
    const format = formatAt(ioctl, type, index)
    if (format === undefined) break
    if (formats.has(format.pixelFormat)) continue
    const sizes: Array<FrameSize> = []
    const listed = frameSizes(ioctl, format.code)
    const now = current === undefined ? [] : [{ width: current.width, height: current.height }]
    for (const frame of listed.length === 0 ? now : listed) {
      const rates = frameRates(ioctl, format.code, frame)
      sizes.push({ ...frame, rates: rates.length > 0 ? rates : [current?.rate ?? usualRate] })
      yield* turn
    }
    formats.set(format.pixelFormat, { pixelFormat: format.pixelFormat, sizes })
  }
  return [...formats.values()]
})
