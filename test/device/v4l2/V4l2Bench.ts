import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Settings } from "../../../src/config/Settings.ts"
import { CameraNames } from "../../../src/device/CameraNames.ts"
import type { Device } from "../../../src/device/Device.ts"
import { Devices } from "../../../src/device/Devices.ts"
import { type NodeChange, NodeWatch } from "../../../src/device/v4l2/NodeWatch.ts"
import { KernelError } from "../../../src/device/v4l2/Kernel.ts"
import type { NodeLocation } from "../../../src/device/v4l2/NodeLocation.ts"
import * as V4l2Cameras from "../../../src/device/v4l2/V4l2Cameras.ts"
import { type NodeInfo, V4l2Nodes } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { testSettings } from "../../support/TestSettings.ts"
import { devicesInMemory } from "../InMemory.ts"

export const formats = [{ pixelFormat: "MJPG", sizes: [{ width: 640, height: 480, rates: [30] }] }]

export const camera = (card: string, more: Partial<NodeInfo> = {}): NodeInfo => ({
  driver: "uvcvideo",
  card,
  bus: `usb-${card}`,
  deviceCaps: 0x04200001,
  formats,
  ...more
})
export const metadata = camera("metadata", { deviceCaps: 0x04a00000, formats: [] })
export const refused = (code: string) => Effect.fail(new KernelError({ code }))

/** A location, and what the driver calls the node there. */
interface NamedLocation extends NodeLocation {
  readonly name: string
}

export const nowhere: NamedLocation = { slot: "0", path: "", name: "", isUsbCamera: false }
/** A USB camera in this port. */
export const inPort = (port: number, name: string, serial?: string): NamedLocation => {
  const position = `bus:usb-x-${port}:046d:0825:0`
  const usb = serial === undefined ? { position } : { position, serial: `usb:046d:0825:${serial}:0` }
  return { usb, slot: "0", path: "", name, isUsbCamera: true }
}

/** The provider on nodes that the test makes: what a node answers by its name, and what is told of nodes. */
export const bench = Effect.fnUntraced(function* (cameras: Readonly<Record<string, unknown>> = {}) {
  const changes = yield* Queue.unbounded<NodeChange>()
  const answers = new Map<string, Effect.Effect<NodeInfo, KernelError>>()
  const locations = new Map<string, Effect.Effect<NodeLocation, KernelError>>()
  const driverNames = new Map<string, string>()
  const probed: Array<string> = []
  let probing = 0
  let following = 0
  const nodes = Layer.succeed(V4l2Nodes, {
    prepare: Effect.void,
    location: (node) => locations.get(node) ?? Effect.succeed(nowhere),
    name: (node) => driverNames.get(node) ?? "",
    isFree: () => Effect.die("nobody asked whether a camera is free"),
    probe: (path) =>
      Effect.suspend(() => {
        probed.push(path)
        probing++
        return answers.get(path) ?? refused("ENOENT")
      }).pipe(Effect.ensuring(Effect.sync(() => void probing--)))
  })
  const watch = Layer.succeed(NodeWatch, {
    changes: Effect.sync(() => (following++, changes))
  })
  const settings = testSettings({ cameras })
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(
    V4l2Cameras.layerNodes.pipe(
      Layer.provideMerge(devicesInMemory),
      Layer.provide([nodes, watch]),
      Layer.provide(Layer.succeed(Settings, settings))
    ),
    scope
  )
  const devices = yield* Effect.provide(Devices, Layer.succeedContext(context))
  const names = yield* Effect.provide(CameraNames, Layer.succeedContext(context))
  const connected = (show = ({ id, name }: Device) => `${id} ${name}`) =>
    devices
      .list()
      .filter(({ status }) => status === "CONNECTED")
      .map((device) => show(device))
  const faults = () =>
    devices
      .list()
      .flatMap(({ fault, id, name }) => (fault === undefined ? [] : [`${id} ${name} ${fault.kind}: ${fault.detail}`]))
  return {
    devices,
    names,
    connected,
    faults,
    probed,
    answers,
    /** `cameras.include` and `cameras.exclude` change while the service runs */
    filter: (include: ReadonlyArray<string>, exclude: ReadonlyArray<string>) =>
      SubscriptionRef.update(settings.live, (live) => ({ ...live, cameras: { include, exclude } })),
    active: () => ({ probing, following }),
    close: Scope.close(scope, Exit.void),
    /** the node is there, in this location, and answers so */
    plug: (
      node: string,
      answer: NodeInfo | Effect.Effect<NodeInfo, KernelError>,
      instance = "1",
      location: NamedLocation | Effect.Effect<NodeLocation, KernelError> = nowhere,
      device = ""
    ) =>
      Effect.suspend(() => {
        locations.set(node, "slot" in location ? Effect.succeed(location) : location)
        driverNames.set(node, "slot" in location ? location.name : "")
        answers.set(`/dev/${node}`, "card" in answer ? Effect.succeed(answer) : answer)
        return Queue.offer(changes, { _tag: "Present", node, path: `/dev/${node}`, instance, device })
      }),
    touch: (node: string, instance = "1") =>
      Queue.offer(changes, { _tag: "Present", node, path: `/dev/${node}`, instance, device: "" }),
    unplug: (node: string) => Queue.offer(changes, { _tag: "Gone", node }),
    scanned: Queue.offer(changes, { _tag: "Scanned" }),
    /** waits for the change after which this is so */
    until: (condition: () => boolean) => Stream.runHead(Stream.filter(devices.changes, condition))
  }
})
