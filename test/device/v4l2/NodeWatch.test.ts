import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import { chmod, mkdir, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type NodeChange, NodeWatch } from "../../../src/device/v4l2/NodeWatch.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { Cameras } from "../../../testing/Cameras.ts"
import { fakeKernel } from "./FakeSysfs.ts"

const show = (change: NodeChange): string => (change._tag === "Scanned" ? "scanned" : `${change.node} ${change._tag}`)

/** The watch on a kernel of our own: what it tells, one after the other. */
const watching = (roots: { readonly dev: string; readonly sys: string }) =>
  Effect.gen(function* () {
    const watch = yield* NodeWatch
    const next = Queue.take(yield* watch.changes)
    /** Takes until this is told: an event more (a file is made, then written) says the same again. */
    const until = (text: string) => Effect.repeat(next, { until: (change) => show(change) === text })
    return { next: Effect.map(next, show), until }
  }).pipe(Effect.provide(NodeWatch.layer.pipe(Layer.provide(KernelFiles.layerAt({ ...roots, proc: "/nowhere" })))))

const camera = (n: number) => ({ device: `pci0/usb1/1-${n}/1-${n}:1.0` })

describe("the watch on V4L2 nodes", () => {
  it.effect("tells what is there, by number, and that this was all", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      for (const n of [10, 2, 0]) yield* kernel.plug(`video${n}`, camera(n))
      for (const name of ["videox", "v4l-subdev0", "video", "null"]) {
        yield* Effect.promise(() => writeFile(join(kernel.dev, name), ""))
      }
      const { next } = yield* watching(kernel)
      assert.deepStrictEqual(yield* Effect.all([next, next, next, next]), [
        "video0 Present",
        "video2 Present",
        "video10 Present",
        "scanned"
      ])
    })
  )

  it.effect("says that it has looked where there is nothing, not even a /dev", () =>
    Effect.gen(function* () {
      const { dev, sys } = yield* fakeKernel
      const { next } = yield* watching({ dev, sys })
      assert.strictEqual(yield* next, "scanned")
    })
  )

  it.effect("tells at once of a node that comes, that is touched, and that goes", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.prepare
      const { next, until } = yield* watching(kernel)
      assert.strictEqual(yield* next, "scanned")
      yield* kernel.plug("video0", camera(0))
      const come = yield* until("video0 Present")
      // what udev does after a quarter of a second: until then nobody but root may open it
      yield* Effect.promise(() => chmod(join(kernel.dev, "video0"), 0o640))
      const touched = yield* until("video0 Present")
      assert.deepStrictEqual(touched, come)
      yield* kernel.unplug("video0")
      yield* until("video0 Gone")
    })
  )

  it.effect("tells a number that was given to another device from one that is still the same", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.plug("video0", camera(0))
      const { until } = yield* watching(kernel)
      const before = yield* until("video0 Present")
      yield* until("scanned")
      // another one comes in its place, faster than anyone looks
      const [beside, node] = [join(kernel.dev, "beside"), join(kernel.dev, "video0")]
      yield* Effect.promise(() => writeFile(beside, "").then(() => rename(beside, node)))
      const after = yield* until("video0 Present")
      assert.notDeepEqual(after, before)
    })
  )

  it.effect("finds within 30 s what no event told of: devices of a /dev made by hand", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.plug("video0", camera(0))
      yield* kernel.plug("video1", camera(1))
      yield* kernel.unplug("video1", { dev: false })
      const { next } = yield* watching(kernel)
      assert.deepStrictEqual([yield* next, yield* next], ["video0 Present", "scanned"])
      yield* kernel.unplug("video0", { dev: false })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual([yield* next, yield* next], ["video0 Gone", "scanned"])
    })
  )

  it.effect("does not stumble over an entry that vanishes, or is no link, while it is looked at", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.prepare
      const { next, until } = yield* watching(kernel)
      assert.strictEqual(yield* next, "scanned")
      const entries = join(kernel.sys, "class", "video4linux")
      yield* Effect.promise(() => mkdir(entries).then(() => writeFile(join(entries, "video0"), "")))
      yield* kernel.appear("video0")
      const present = yield* until("video0 Present")
      assert.deepInclude(present, { node: "video0", device: "" })
    })
  )

  it.effect("tells once of a node that comes, though the kernel tells of it twice", () =>
    Effect.gen(function* () {
      const cameras = yield* Cameras
      const watch = yield* NodeWatch
      const next = Effect.map(Queue.take(yield* watch.changes), show)
      assert.strictEqual(yield* next, "scanned")
      const camera = yield* cameras.plug({ name: "Front" })
      assert.strictEqual(yield* next, "video0 Present")
      yield* cameras.plug({ name: "Rear" })
      assert.strictEqual(yield* next, "video1 Present")
      yield* camera.unplug
      assert.strictEqual(yield* next, "video0 Gone")
    }).pipe(Effect.provide(NodeWatch.layer.pipe(Layer.provideMerge(Cameras.layer))))
  )

  it.effect("believes /dev where there is no sysfs", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      yield* kernel.plug("video3", camera(3))
      const { next } = yield* watching({ dev: kernel.dev, sys: join(kernel.sys, "nowhere") })
      assert.deepStrictEqual([yield* next, yield* next], ["video3 Present", "scanned"])
    })
  )
})
