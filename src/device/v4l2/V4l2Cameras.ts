import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Settings } from "../../config/Settings.ts"
import { Devices } from "../Devices.ts"
import { matchesGlob } from "./Glob.ts"
import { makeIdentities, readPlace } from "./Identity.ts"
import { isCamera } from "./Ioctl.ts"
import { type NodeChange, NodeWatch, type Present } from "./NodeWatch.ts"
import { Roots } from "./Roots.ts"
import { type ProbeFailed, V4l2Nodes } from "./V4l2Nodes.ts"

/** A node under our eyes. */
interface Seen {
  readonly instance: string
  /** opened when something about the node may have changed */
  readonly touched: Latch.Latch
}

/** What a node answers that is just coming (udev has yet to set its mode) or going. */
const passing: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENOENT", "ENODEV", "ENXIO"])
/** Who still gives such an answer after so long is in trouble. */
const passingMillis = 5000

const provider = Effect.gen(function* () {
  const { cameras } = yield* Settings
  const devices = yield* Devices
  const nodes = yield* V4l2Nodes
  const watch = yield* NodeWatch
  const { sys } = yield* Roots
  const looked = yield* devices.looking("v4l2")
  const identities = makeIdentities()
  const seen = new Map<string, Seen>()
  const fibers = yield* FiberMap.make<string>()
  // who shares a serial number is known when all nodes are
  const scanned = yield* Latch.make(false)
  const firstProbes: Array<Latch.Latch> = []

  const wanted = (name: string): boolean =>
    cameras.include.some((glob) => matchesGlob(name, glob)) && !cameras.exclude.some((glob) => matchesGlob(name, glob))

  /** Asks until the node answers: after a failure again when it is touched, which the rescan does as well. */
  const probe = Effect.fnUntraced(function* (path: string, touched: Latch.Latch, probed: Latch.Latch) {
    const since = yield* Clock.currentTimeMillis
    let told = ""
    for (;;) {
      const result = yield* Effect.result(nodes.probe(path))
      if (result._tag === "Success") return result.success
      yield* probed.open
      const { code } = result.failure
      const isPassing = passing.has(code) && (yield* Clock.currentTimeMillis) - since < passingMillis
      if (!isPassing && code !== told) {
        told = code
        yield* tellFailure(result.failure)
      }
      yield* touched.await
      touched.closeUnsafe()
    }
  })

  /** A node's life: probed, attached when it is a camera, and so until it is interrupted. */
  const live = Effect.fnUntraced(function* ({ node, path }: Present, touched: Latch.Latch, probed: Latch.Latch) {
    const { bus, card, deviceCaps, formats } = yield* probe(path, touched, probed)
    if (!isCamera(deviceCaps)) return
    if (!wanted(card))
      return yield* Effect.logInfo("camera left out by its name").pipe(Effect.annotateLogs({ name: card }))
    yield* scanned.await
    const { identity, serialShared } = identities.identify(node, bus)
    if (serialShared) {
      yield* Effect.logWarning(
        "another camera has the same serial number: this one is known by where it is plugged in"
      ).pipe(Effect.annotateLogs({ name: card, identity }))
    }
    yield* devices.attach({ kind: "v4l2", identity, name: card, node: path, formats })
    yield* probed.open
    return yield* Effect.never
  }, Effect.scoped)

  const forget = Effect.fnUntraced(function* (node: string) {
    // returns when it is detached: the next node may be the same camera
    yield* FiberMap.remove(fibers, node)
    seen.delete(node)
    identities.release(node)
  })

  const present = Effect.fnUntraced(function* (change: Present) {
    const { instance, node } = change
    const before = seen.get(node)
    if (before?.instance === instance) return yield* before.touched.open
    yield* forget(node)
    identities.claim(node, yield* readPlace(sys, node))
    const touched = yield* Latch.make(false)
    const probed = yield* Latch.make(false)
    seen.set(node, { instance, touched })
    if (!Latch.isOpen(scanned)) firstProbes.push(probed)
    yield* FiberMap.run(
      fibers,
      node,
      live(change, touched, probed).pipe(
        Effect.tapDefect((defect) => Effect.logError("a V4L2 node is given up", defect)),
        Effect.ensuring(probed.open),
        Effect.annotateLogs({ node })
      )
    )
  })

  const firstLook = Effect.gen(function* () {
    yield* scanned.open
    yield* Effect.forEach(firstProbes.splice(0), (probed) => probed.await, { discard: true })
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

  yield* Effect.forkScoped(Stream.runForEach(watch.nodes, follow))
})

const tellFailure = ({ cause, code }: ProbeFailed) =>
  code === "EACCES"
    ? Effect.logWarning("a V4L2 node may not be opened: the service's user must be in the node's group (video)")
    : Effect.logWarning(`a V4L2 node does not say what it is: ${code}`, ...(cause === undefined ? [] : [cause]))

/** `layer` on other nodes than the kernel's. */
export const layerNodes = Layer.unwrap(
  Effect.map(Settings, ({ cameras }) => (cameras.v4l2 ? Layer.effectDiscard(provider) : Layer.empty))
)

/**
 * Attaches the V4L2 capture nodes whose names `cameras.include` and `cameras.exclude` let through, for as long as they are
 * there. With `cameras.v4l2: false`, and on a machine without such nodes, nothing is opened or loaded.
 */
export const layer = layerNodes.pipe(Layer.provide([V4l2Nodes.layer, NodeWatch.layer]))
