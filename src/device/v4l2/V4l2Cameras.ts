import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import { Settings } from "../../config/Settings.ts"
import { monotonicMillis } from "../../ground/Time.ts"
import { CameraNames } from "../CameraNames.ts"
import type { Found } from "../Device.ts"
import { Devices } from "../Devices.ts"
import { type Fault, faultOf } from "../Fault.ts"
import * as BusyCameras from "./BusyCameras.ts"
import { isCamera } from "./Ioctl.ts"
import { Kernel, type KernelError } from "./Kernel.ts"
import { type NodeChange, NodeWatch, type Present } from "./NodeWatch.ts"
import { identityOf, type NodeLocation } from "./NodeLocation.ts"
import { makeShownCamera } from "./ShownCamera.ts"
import { v4l2Input } from "./V4l2Input.ts"
import { V4l2Nodes } from "./V4l2Nodes.ts"

/** How far a node is; all are open when its life ends. */
interface Steps {
  /** it counts among the cameras that are plugged in */
  readonly located: Latch.Latch
  /** it is attached, or will not be before something changes */
  readonly probed: Latch.Latch
  /** its device has answered something, if only no */
  readonly answered: Latch.Latch
}

/** A node under our eyes. */
interface Seen {
  readonly instance: string
  readonly device: string
  readonly steps: Steps
  /** opened when something about the node may have changed */
  readonly touched: Latch.Latch
}

/** What a node answers that is just coming (udev has yet to set its mode) or going. */
const passing: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENOENT", "ENODEV", "ENXIO"])
/** Who still gives such an answer after so long is in trouble: udev takes a quarter of a second in a slow machine. */
const passingMillis = 2000
/** A device that does not answer may do so without anybody telling; asking costs nothing while it still hangs. */
const askAgain = Duration.seconds(5)
/** The first look waits so long for nodes to be located, and then for cameras to answer: longer than a device may take. */
const firstLookBound = Duration.seconds(3)

const provider = Effect.gen(function* () {
  const settings = yield* Settings
  const devices = yield* Devices
  const names = yield* CameraNames
  const nodes = yield* V4l2Nodes
  const watch = yield* NodeWatch
  const looked = yield* devices.looking("v4l2")
  const seen = new Map<string, Seen>()
  const fibers = yield* FiberMap.make<string>()
  // twins are told apart when all that are there at the start are known
  const scanned = yield* Latch.make(false)
  const first: Array<Steps> = []

  const locationOf = (node: string) =>
    nodes.location(node).pipe(
      Effect.tapError(() => Effect.logWarning("sysfs does not tell where a V4L2 node belongs")),
      Effect.catch(() => Effect.retry(nodes.location(node), Schedule.spaced(askAgain)))
    )

  /** Asks until the node answers: after a failure again when it is touched, which the rescan does as well. */
  const probe = Effect.fnUntraced(function* <E, R>(
    path: string,
    touched: Latch.Latch,
    failed: (error: KernelError, isPassing: boolean) => Effect.Effect<void, E, R>
  ) {
    const since = yield* monotonicMillis
    for (;;) {
      const result = yield* Effect.result(nodes.probe(path))
      if (result._tag === "Success") return result.success
      const { code } = result.failure
      const left = passing.has(code) ? since + passingMillis - (yield* monotonicMillis) : 0
      yield* failed(result.failure, left > 0)
      const pause = left > 0 ? Duration.millis(left) : code === "TIMEOUT" ? askAgain : Duration.infinity
      yield* Effect.timeoutOption(touched.await, pause)
      touched.closeUnsafe()
    }
  })

  /** A node's life: probed, attached when it is a camera, and so until it is interrupted. */
  const live = Effect.fnUntraced(function* ({ node, path, toldAt }: Present, touched: Latch.Latch, steps: Steps) {
    const input = v4l2Input(path)
    const located = yield* Deferred.make<NodeLocation>()
    const shown = yield* makeShownCamera(devices, settings, toldAt)
    let told = ""

    const show = (found: Found, fault?: Fault) => Effect.andThen(scanned.await, shown(found, fault))

    const failed = Effect.fnUntraced(function* (error: KernelError, isPassing: boolean) {
      if (!isPassing && error.code !== told) {
        told = error.code
        const fault = faultIn(error)
        const location = yield* Deferred.await(located)
        if (fault === undefined || !location.isUsbCamera) yield* tellFailure(error)
        else {
          yield* show({ input, identity: identityOf(location, ""), name: nodes.name(node), formats: [] }, fault)
        }
      }
      yield* steps.probed.open
      if (error.code !== "TIMEOUT") yield* steps.answered.open
    })

    const probing = yield* Effect.forkScoped(probe(path, touched, failed), { startImmediately: true })
    // while the device opens; and its serial number may have to wait until all its drivers are bound
    const location = yield* locationOf(node)
    if (location.usb !== undefined) yield* names.expect(location.usb)
    yield* steps.located.open
    yield* Deferred.succeed(located, location)
    const { bus, card, deviceCaps, formats } = yield* Fiber.join(probing)
    if (!isCamera(deviceCaps)) return
    yield* show({ input, identity: identityOf(location, bus), name: card, formats })
    yield* steps.probed.open
    yield* steps.answered.open
    return yield* Effect.never
  }, Effect.scoped)

  const forget = Effect.fnUntraced(function* (node: string) {
    // returns when it is detached: the next node may be the same camera
    yield* FiberMap.remove(fibers, node)
    seen.delete(node)
  })

  /**
   * The first node of a device is nearly always its camera: the others are not to be in its way, nor to hang beside it in a
   * thread each.
   */
  const firstOf = (device: string): Effect.Effect<void> => {
    const first = device === "" ? undefined : [...seen.values()].find((other) => other.device === device)
    return first === undefined ? Effect.void : first.steps.answered.await
  }

  const present = Effect.fnUntraced(function* (change: Present) {
    const { device, instance, node } = change
    const before = seen.get(node)
    if (before?.instance === instance) return yield* before.touched.open
    yield* forget(node)
    const touched = yield* Latch.make(false)
    const steps = {
      located: yield* Latch.make(false),
      probed: yield* Latch.make(false),
      answered: yield* Latch.make(false)
    }
    const turn = Latch.isOpen(scanned) ? firstOf(device) : Effect.void
    seen.set(node, { instance, device, touched, steps })
    if (!Latch.isOpen(scanned)) first.push(steps)
    yield* FiberMap.run(
      fibers,
      node,
      Effect.andThen(turn, live(change, touched, steps)).pipe(
        Effect.tapDefect((defect) => Effect.logError("a V4L2 node is given up", defect)),
        Effect.ensuring(Effect.forEach(Object.values(steps), (step) => step.open, { discard: true })),
        Effect.annotateLogs({ node })
      )
    )
  })

  const firstLook = Effect.gen(function* () {
    yield* nodes.prepare
    const all = first.splice(0)
    const each = (step: keyof Steps) =>
      Effect.forEach(all, (steps) => steps[step].await, { discard: true }).pipe(Effect.timeoutOption(firstLookBound))
    yield* each("located")
    yield* scanned.open
    yield* each("probed")
    yield* looked
  })

  const follow = (change: NodeChange) => {
    switch (change._tag) {
      case "Present":
        return present(change)
      case "Gone":
        return forget(change.node)
      case "Scanned":
        return Latch.isOpen(scanned) ? Effect.void : Effect.asVoid(Effect.forkScoped(firstLook))
    }
  }

  const changes = yield* watch.changes
  const next = Effect.flatMap(Queue.take(changes), follow)
  yield* Effect.forkScoped(Effect.forever(next, { disableYield: true }))
})

const refusals: ReadonlySet<string> = new Set(["EACCES", "EPERM"])

const faultIn = ({ code }: KernelError): Fault | undefined => {
  if (refusals.has(code)) return faultOf("NO_PERMISSION", "the service's user may not open it")
  return code === "TIMEOUT" ? faultOf("UNRESPONSIVE", "it did not answer within 2 s") : undefined
}

const tellFailure = ({ cause, code }: KernelError) =>
  refusals.has(code)
    ? Effect.logWarning("a V4L2 node may not be opened: the service's user must be in the node's group (video)")
    : Effect.logWarning(`a V4L2 node does not say what it is: ${code}`, ...(cause === undefined ? [] : [cause]))

/** `layer` on other nodes than the kernel's. */
export const layerNodes = Layer.unwrap(
  Effect.map(Settings, ({ boot: { cameras } }) =>
    cameras.v4l2 ? Layer.merge(Layer.effectDiscard(provider), BusyCameras.layer) : Layer.empty
  )
)

/**
 * Attaches the V4L2 capture nodes whose names `cameras.include` and `cameras.exclude` let through, for as long as they are
 * there. With `cameras.v4l2: false` nothing is opened or loaded.
 */
export const layer = layerNodes.pipe(
  Layer.provide([V4l2Nodes.layer.pipe(Layer.provide(Kernel.layer)), NodeWatch.layer])
)
