import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Settings } from "../../../src/config/Settings.ts"
import { Devices } from "../../../src/device/Devices.ts"
import { type NodeChange, NodeWatch } from "../../../src/device/v4l2/NodeWatch.ts"
import { Roots } from "../../../src/device/v4l2/Roots.ts"
import * as V4l2Cameras from "../../../src/device/v4l2/V4l2Cameras.ts"
import { type NodeInfo, ProbeFailed, V4l2Nodes } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { testSettings } from "../../support/TestSettings.ts"
import { devicesInMemory } from "../InMemory.ts"
import { fakeKernel } from "./FakeSysfs.ts"

const formats = [{ pixelFormat: "MJPG", sizes: [{ width: 640, height: 480, rates: [30] }] }]

const camera = (card: string, more: Partial<NodeInfo> = {}): NodeInfo => ({
  driver: "uvcvideo",
  card,
  bus: `usb-${card}`,
  deviceCaps: 0x04200001,
  formats,
  ...more
})
const metadata = camera("metadata", { deviceCaps: 0x04a00000, formats: [] })
const refused = (code: string) => Effect.fail(new ProbeFailed({ node: "", code }))

/** The provider on nodes that the test makes: what a node answers by its name, and what is told of nodes. */
const bench = Effect.fnUntraced(function* (cameras: Readonly<Record<string, unknown>> = {}, sys = "/nowhere") {
  const changes = yield* Queue.unbounded<NodeChange>()
  const answers = new Map<string, Effect.Effect<NodeInfo, ProbeFailed>>()
  const probed: Array<string> = []
  let probing = 0
  let following = 0
  const nodes = Layer.succeed(V4l2Nodes, {
    probe: (path) =>
      Effect.suspend(() => {
        probed.push(path)
        probing++
        return answers.get(path) ?? refused("ENOENT")
      }).pipe(Effect.ensuring(Effect.sync(() => void probing--)))
  })
  const watch = Layer.succeed(NodeWatch, {
    nodes: Stream.unwrap(Effect.sync(() => (following++, Stream.fromQueue(changes))))
  })
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(
    V4l2Cameras.layerNodes.pipe(
      Layer.provideMerge(devicesInMemory),
      Layer.provide([nodes, watch, Layer.succeed(Roots, { dev: "/dev", sys })]),
      Layer.provide(Layer.succeed(Settings, testSettings({ cameras })))
    ),
    scope
  )
  const devices = yield* Effect.provide(Devices, Layer.succeedContext(context))
  const connected = () =>
    devices
      .list()
      .filter(({ status }) => status === "CONNECTED")
      .map(({ id, name }) => `${id} ${name}`)
  return {
    devices,
    connected,
    probed,
    answers,
    active: () => ({ probing, following }),
    close: Scope.close(scope, Exit.void),
    plug: (node: string, answer: NodeInfo | Effect.Effect<NodeInfo, ProbeFailed>, instance = "1") =>
      Effect.suspend(() => {
        answers.set(`/dev/${node}`, "card" in answer ? Effect.succeed(answer) : answer)
        return Queue.offer(changes, { _tag: "Present", node, path: `/dev/${node}`, instance })
      }),
    touch: (node: string, instance = "1") =>
      Queue.offer(changes, { _tag: "Present", node, path: `/dev/${node}`, instance }),
    unplug: (node: string) => Queue.offer(changes, { _tag: "Gone", node }),
    scanned: Queue.offer(changes, { _tag: "Scanned" }),
    /** waits for the change after which this is so */
    until: (condition: () => boolean) => Stream.runHead(Stream.filter(devices.changes, condition))
  }
})

describe("V4L2 cameras", () => {
  it.effect("are the capture nodes that are there at the start, known when the first look is done", () =>
    Effect.gen(function* () {
      const { devices, plug, scanned } = yield* bench()
      assert.isFalse(devices.settled())
      yield* plug("video0", camera("Front"))
      yield* plug("video1", metadata)
      yield* plug("video2", camera("Rear"))
      yield* plug("video9", refused("EIO"))
      yield* scanned
      yield* devices.awaitSettled
      const list = devices.list()
      assert.strictEqual(list.length, 2)
      for (const [i, name] of ["Front", "Rear"].entries()) {
        const device = list.find((candidate) => candidate.name === name)
        const identity = `bus:usb-${name}:0`
        assert.deepInclude(device, { formats, identity, kind: "v4l2", node: `/dev/video${i * 2}`, status: "CONNECTED" })
      }
    })
  )

  it.effect("are none on a machine without any, and the first look is done all the same", () =>
    Effect.gen(function* () {
      const { devices, probed, scanned } = yield* bench()
      yield* scanned
      yield* devices.awaitSettled
      assert.deepStrictEqual([devices.list(), probed], [[], []])
    })
  )

  it.effect("are not looked for when the configuration says so", () =>
    Effect.gen(function* () {
      const { active, devices } = yield* bench({ v4l2: false })
      assert.isTrue(devices.settled())
      assert.deepStrictEqual(active(), { probing: 0, following: 0 })
    })
  )

  it.effect("are those whose names are included and not excluded", () =>
    Effect.gen(function* () {
      const { connected, devices, plug, scanned } = yield* bench({ include: ["hd*", "*rear*"], exclude: ["*c270"] })
      yield* plug("video0", camera("HD Webcam C270"))
      yield* plug("video1", camera("HD Webcam C920"))
      yield* plug("video2", camera("USB Camera"))
      yield* plug("video3", camera("Rear view"))
      yield* scanned
      yield* devices.awaitSettled
      assert.sameMembers(
        connected().map((text) => text.replace(/^\S+ /, "")),
        ["HD Webcam C920", "Rear view"]
      )
    })
  )

  it.effect("are DISCONNECTED when they are pulled out, and themselves again under another number", () =>
    Effect.gen(function* () {
      const { connected, devices, plug, scanned, unplug, until } = yield* bench()
      yield* scanned
      yield* plug("video0", camera("Front"))
      yield* until(() => connected().length === 1)
      yield* unplug("video0")
      yield* until(() => connected().length === 0)
      yield* plug("video6", camera("Front"))
      yield* until(() => connected().length === 1)
      assert.deepInclude(yield* devices.get("camera0"), { name: "Front", node: "/dev/video6" })
    })
  )

  it.effect("are probed once, however often their node is touched", () =>
    Effect.gen(function* () {
      const { connected, plug, probed, scanned, touch, until } = yield* bench()
      yield* scanned
      yield* plug("video0", camera("Front"))
      yield* until(() => connected().length === 1)
      yield* touch("video0")
      yield* scanned
      yield* plug("video1", camera("Rear"))
      yield* until(() => connected().length === 2)
      assert.deepStrictEqual(probed, ["/dev/video0", "/dev/video1"])
    })
  )

  it.effect("come as soon as their node may be opened, however long that takes", () =>
    Effect.gen(function* () {
      const { answers, connected, devices, plug, scanned, touch, until } = yield* bench()
      const tries = yield* Queue.unbounded<string>()
      const denied = Effect.andThen(Queue.offer(tries, "denied"), refused("EACCES"))
      yield* plug("video0", denied)
      yield* scanned
      yield* devices.awaitSettled
      yield* Queue.take(tries)
      for (let n = 0; n < 3; n++) {
        yield* touch("video0")
        yield* Queue.take(tries)
      }
      answers.set("/dev/video0", Effect.succeed(camera("Front")))
      yield* touch("video0")
      yield* until(() => connected().length === 1)
    })
  )

  it.effect("are asked again when they could be opened while they were still being refused", () =>
    Effect.gen(function* () {
      const { answers, connected, plug, scanned, touch, until } = yield* bench()
      const asked = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<NodeInfo, ProbeFailed>()
      yield* scanned
      yield* plug("video0", Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer)))
      yield* Deferred.await(asked)
      answers.set("/dev/video0", Effect.succeed(camera("Front")))
      yield* touch("video0")
      // the touch has been seen when what was told after it has been done
      yield* plug("video1", camera("Rear"))
      yield* until(() => connected().length === 1)
      yield* Deferred.failCause(answer, Cause.fail(new ProbeFailed({ node: "/dev/video0", code: "EACCES" })))
      yield* until(() => connected().length === 2)
    })
  )

  it.effect("are explained in the log when their node may not be opened for long, and only then, and once", () =>
    Effect.gen(function* () {
      const lines = yield* Queue.unbounded<string>()
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
        Queue.offerUnsafe(lines, `${logLevel} ${String(message)}`)
      })
      yield* Effect.gen(function* () {
        const { plug, scanned, touch } = yield* bench()
        const tries = yield* Queue.unbounded<void>()
        const tried = Queue.take(tries)
        yield* scanned
        yield* plug("video0", Effect.andThen(Queue.offer(tries, undefined), refused("EACCES")))
        yield* tried
        yield* touch("video0")
        yield* tried
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* Queue.size(lines), 0)
        for (let n = 0; n < 3; n++) {
          yield* touch("video0")
          yield* tried
        }
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.match(yield* Queue.take(lines), /^Warn .*group \(video\)/)
      assert.strictEqual(yield* Queue.size(lines), 0)
    })
  )

  it.effect("do not wait for one that hangs", () =>
    Effect.gen(function* () {
      const { connected, plug, scanned, until } = yield* bench()
      yield* plug("video0", Effect.never)
      yield* plug("video1", camera("Rear"))
      yield* scanned
      yield* until(() => connected().length === 1)
      assert.deepStrictEqual(connected(), ["camera0 Rear"])
    })
  )

  it.effect("are replaced when another device has got the number before anyone looked", () =>
    Effect.gen(function* () {
      const { connected, devices, plug, scanned, until } = yield* bench()
      yield* scanned
      yield* plug("video0", camera("Front"), "1")
      yield* until(() => connected().length === 1)
      yield* plug("video0", camera("Rear"), "2")
      yield* until(() => connected()[0] === "camera1 Rear")
      assert.deepInclude(yield* devices.get("camera0"), { status: "DISCONNECTED" })
    })
  )

  it.effect("with one serial number are told apart by their ports", () =>
    Effect.gen(function* () {
      const kernel = yield* fakeKernel
      const { connected, devices, plug, scanned } = yield* bench({}, kernel.sys)
      for (const port of [1, 2]) {
        const device = `pci0/usb1/1-${port}`
        const node = `video${port}`
        yield* kernel.plug(node, {
          device: `${device}/1-${port}:1.0`,
          attributes: {
            [`${device}/idVendor`]: "046d",
            [`${device}/idProduct`]: "0825",
            [`${device}/serial`]: "0001",
            [`${device}/1-${port}:1.0/bInterfaceNumber`]: "00"
          }
        })
        yield* plug(node, camera("Twin", { bus: `usb-0000:00:14.0-${port}` }))
      }
      yield* scanned
      yield* devices.awaitSettled
      assert.strictEqual(connected().length, 2)
      assert.sameMembers(
        devices.list().map(({ identity }) => identity),
        ["bus:usb-0000:00:14.0-1:0", "bus:usb-0000:00:14.0-2:0"]
      )
    })
  )

  it.effect("are in their true state after a storm of plugging, and nothing is left over", () =>
    Effect.gen(function* () {
      const { active, close, connected, devices, plug, scanned, unplug, until } = yield* bench()
      yield* scanned
      // a sequence that looks random and is always the same (Lehmer's generator)
      let seed = 4711
      const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
      const present = new Set<number>()
      for (let n = 0; n < 500; n++) {
        const number = random(5)
        const slow = Effect.repeat(Effect.yieldNow, { times: random(4) })
        if (present.delete(number)) {
          yield* unplug(`video${number}`)
        } else {
          present.add(number)
          yield* plug(`video${number}`, Effect.as(slow, camera(`Camera ${number}`)), String(n))
        }
        if (random(3) === 0) yield* Effect.yieldNow
      }
      yield* plug("video9", camera("The last"))
      const names = [...present].map((number) => `Camera ${number}`).concat("The last")
      const now = () => connected().map((text) => text.replace(/^\S+ /, ""))
      yield* until(() => now().length === names.length && names.every((name) => now().includes(name)))
      assert.isAtMost(devices.list().length, 6)
      assert.strictEqual(active().probing, 0)
      yield* close
      assert.deepStrictEqual(connected(), [])
    })
  )
})
