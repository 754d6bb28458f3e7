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
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
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
import { hour, onSettableClock } from "../../support/WallClock.ts"
import { devicesInMemory } from "../InMemory.ts"

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
const refused = (code: string) => Effect.fail(new KernelError({ code }))

/** A location, and what the driver calls the node there. */
interface NamedLocation extends NodeLocation {
  readonly name: string
}

const nowhere: NamedLocation = { slot: "0", path: "", name: "", isUsbCamera: false }
/** A USB camera in this port. */
const inPort = (port: number, name: string, serial?: string): NamedLocation => {
  const position = `bus:usb-x-${port}:046d:0825:0`
  const usb = serial === undefined ? { position } : { position, serial: `usb:046d:0825:${serial}:0` }
  return { usb, slot: "0", path: "", name, isUsbCamera: true }
}

/** The provider on nodes that the test makes: what a node answers by its name, and what is told of nodes. */
const bench = Effect.fnUntraced(function* (cameras: Readonly<Record<string, unknown>> = {}) {
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
        const identity = { position: `bus:usb-${name}:0` }
        assert.deepInclude(device, { formats, identity, status: "CONNECTED" })
        assert.deepInclude(device?.input, { name: "v4l2", node: `/dev/video${i * 2}` })
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

  it.effect("come and go with what is included and excluded while the service runs, those with a fault too", () =>
    Effect.gen(function* () {
      const { connected, devices, faults, filter, plug, probed, scanned, until } = yield* bench({ exclude: ["infra*"] })
      yield* plug("video0", camera("HD Front"))
      yield* plug("video1", camera("Infrared Front"))
      yield* plug("video2", refused("EACCES"), "1", inPort(1, "HD Locked"))
      yield* scanned
      yield* TestClock.adjust("3 seconds")
      yield* until(() => faults().length === 1)
      const names = () => connected(({ name }) => name).sort()
      assert.deepStrictEqual(names(), ["HD Front"])
      const before = probed.length

      yield* filter(["*"], ["hd*", "infra*"])
      yield* until(() => connected().length + faults().length === 0)
      assert.deepStrictEqual([connected(), faults()], [[], []])
      yield* filter(["*"], [])
      yield* until(() => connected().length === 2 && faults().length === 1)
      assert.deepStrictEqual(names(), ["HD Front", "Infrared Front"])
      assert.include(faults()[0], "HD Locked NO_PERMISSION")
      yield* filter(["infra*"], [])
      yield* until(() => connected().length === 1)
      assert.deepStrictEqual(
        devices
          .list()
          .map(({ name, status }) => `${name} ${status}`)
          .sort(),
        ["HD Front DISCONNECTED", "HD Locked DISCONNECTED", "Infrared Front CONNECTED"]
      )
      // nobody was asked again for it
      assert.strictEqual(probed.length, before)
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
      const front = yield* devices.get("camera0")
      assert.deepStrictEqual([front.name, front.input.node], ["Front", "/dev/video6"])
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
      const answer = yield* Deferred.make<NodeInfo, KernelError>()
      yield* scanned
      yield* plug("video0", Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(answer)))
      yield* Deferred.await(asked)
      answers.set("/dev/video0", Effect.succeed(camera("Front")))
      yield* touch("video0")
      // the touch has been seen when what was told after it has been done
      yield* plug("video1", camera("Rear"))
      yield* until(() => connected().length === 1)
      yield* Deferred.failCause(answer, Cause.fail(new KernelError({ code: "EACCES" })))
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
        yield* TestClock.adjust("1999 millis")
        assert.strictEqual(yield* Queue.size(lines), 0)
        yield* TestClock.adjust("1 millis")
        yield* tried
        for (let n = 0; n < 3; n++) {
          yield* touch("video0")
          yield* tried
        }
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.match(yield* Queue.take(lines), /^Warn .*group \(video\)/)
      assert.strictEqual(yield* Queue.size(lines), 0)
    })
  )

  it.effect("are shown as faulty after 2 s also when the machine's clock is set meanwhile", () =>
    onSettableClock(
      Effect.fnUntraced(function* (setWall) {
        for (const jump of [-hour, hour]) {
          const { faults, plug, scanned, until } = yield* bench()
          yield* scanned
          yield* plug("video0", refused("EACCES"), "1", inPort(1, "HD Webcam"))
          yield* TestClock.adjust("1 second")
          setWall(jump)
          yield* plug("video0", refused("EACCES"), "1", inPort(1, "HD Webcam"))
          yield* TestClock.adjust("999 millis")
          assert.deepStrictEqual(faults(), [])
          yield* TestClock.adjust("1 millis")
          yield* until(() => faults().length === 1)
        }
      })
    )
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

  it.effect("with one serial number keep the names of their ports, in whatever order they are found at the start", () =>
    Effect.gen(function* () {
      const { connected, names, plug, scanned, until } = yield* bench()
      const there = (port: number) => inPort(port, "Twin", "0001")
      const before = yield* Scope.make()
      const known = yield* names.claim(there(1).usb ?? { position: "" }).pipe(Scope.provide(before))
      yield* Scope.close(before, Exit.void)
      const answer = yield* Deferred.make<NodeLocation>()
      // the other one is found first, and sysfs takes its time with the one that is known
      yield* plug("video1", camera("Twin", { bus: "port 2" }), "1", there(2))
      yield* plug("video2", camera("Twin", { bus: "port 1" }), "1", Deferred.await(answer))
      yield* scanned
      yield* Deferred.succeed(answer, there(1))
      yield* until(() => connected().length === 2)
      const list = connected(({ id, input }) => `${id} ${input.node}`)
      assert.deepStrictEqual([known, list], ["camera0", ["camera0 /dev/video2", "camera1 /dev/video1"]])
    })
  )

  it.effect("are asked before the other nodes of their device, which wait no longer than for the answer", () =>
    Effect.gen(function* () {
      const { devices, connected, plug, probed, scanned, until } = yield* bench()
      yield* scanned
      yield* devices.awaitSettled
      const answer = yield* Deferred.make<NodeInfo>()
      yield* plug("video0", Deferred.await(answer), "1", nowhere, "1-2")
      yield* plug("video1", camera("Second"), "1", nowhere, "1-2")
      yield* plug("video2", camera("Beside"), "1", nowhere, "1-3")
      yield* until(() => connected().includes("camera0 Beside"))
      assert.notInclude(probed, "/dev/video1")
      yield* Deferred.succeed(answer, camera("First"))
      yield* until(() => connected().includes("camera2 Second"))
      assert.deepStrictEqual(connected(), ["camera0 Beside", "camera1 First", "camera2 Second"])
    })
  )

  it.effect("are not joined by the other nodes of their device while they hang", () =>
    Effect.gen(function* () {
      const { answers, connected, devices, faults, plug, probed, scanned, until } = yield* bench()
      yield* scanned
      yield* devices.awaitSettled
      yield* plug("video0", refused("TIMEOUT"), "1", inPort(1, "HD Webcam"), "1-2")
      yield* plug("video1", camera("Second"), "1", nowhere, "1-2")
      yield* until(() => faults().length === 1)
      yield* TestClock.adjust("4 seconds")
      assert.notInclude(probed, "/dev/video1")
      answers.set("/dev/video0", Effect.succeed(camera("HD Webcam")))
      yield* TestClock.adjust("1 second")
      yield* until(() => connected().length === 2)
      assert.deepStrictEqual(connected(), ["camera0 HD Webcam", "camera1 Second"])
    })
  )

  it.effect("that nobody may open are shown as such after 2 s, and connected when they can be opened after all", () =>
    Effect.gen(function* () {
      const { answers, devices, faults, plug, scanned, touch, until } = yield* bench()
      yield* plug("video0", refused("EACCES"), "1", inPort(1, "HD Webcam"))
      yield* plug("video1", refused("EACCES"), "1", { ...inPort(2, "HD Webcam"), isUsbCamera: false })
      yield* scanned
      yield* devices.awaitSettled
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(devices.list(), [])
      yield* TestClock.adjust("1 millis")
      yield* until(() => faults().length === 1)
      assert.deepStrictEqual(faults(), ["camera0 HD Webcam NO_PERMISSION: the service's user may not open it"])
      const refusing = yield* devices.get("camera0")
      assert.deepInclude(refusing, { status: "ERROR", formats: [] })
      assert.strictEqual(refusing.input.node, "/dev/video0")
      answers.set("/dev/video0", Effect.succeed(camera("HD Webcam C525")))
      yield* touch("video0")
      yield* until(() => faults().length === 0)
      const device = yield* devices.get("camera0")
      assert.deepInclude(device, { status: "CONNECTED", name: "HD Webcam C525", formats })
      assert.strictEqual(devices.list().length, 1)
    })
  )

  it.effect("that do not answer are shown as such at once, and asked again every 5 s until they do", () =>
    Effect.gen(function* () {
      const { answers, connected, devices, faults, plug, probed, scanned, until } = yield* bench()
      yield* plug("video0", refused("TIMEOUT"), "1", inPort(1, "HD Webcam"))
      yield* scanned
      yield* devices.awaitSettled
      assert.deepStrictEqual(faults(), ["camera0 HD Webcam UNRESPONSIVE: it did not answer within 2 s"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([faults().length, probed.length], [1, 3])
      answers.set("/dev/video0", Effect.succeed(camera("HD Webcam")))
      yield* TestClock.adjust("5 seconds")
      yield* until(() => connected().length === 1)
      assert.deepStrictEqual(faults(), [])
    })
  )

  it.effect("are gone with their fault when they are pulled out, and not shown at all when they are left out", () =>
    Effect.gen(function* () {
      const { devices, faults, plug, scanned, unplug, until } = yield* bench({ exclude: ["infrared*"] })
      yield* plug("video0", refused("TIMEOUT"), "1", inPort(1, "Front"))
      yield* plug("video2", refused("TIMEOUT"), "1", inPort(2, "Infrared"))
      yield* scanned
      yield* devices.awaitSettled
      assert.strictEqual(faults().length, 1)
      yield* unplug("video0")
      yield* until(() => faults().length === 0)
      assert.deepStrictEqual(
        devices.list().map(({ fault, id, status }) => [id, status, fault]),
        [["camera0", "DISCONNECTED", undefined]]
      )
    })
  )

  it.effect("do not wait for one of which not even sysfs tells, nor does the first look for long", () =>
    Effect.gen(function* () {
      const { connected, devices, plug, scanned, until } = yield* bench()
      yield* plug("video0", camera("Silent"), "1", Effect.never)
      yield* plug("video1", Effect.never, "1", inPort(2, "Hangs"))
      yield* plug("video2", camera("Rear"), "1", inPort(3, "Rear"))
      yield* scanned
      yield* TestClock.adjust("3 seconds")
      yield* until(() => connected().length === 1)
      assert.isFalse(devices.settled())
      yield* TestClock.adjust("3 seconds")
      yield* devices.awaitSettled
      // from then on nobody waits at all
      yield* plug("video3", camera("Third"), "1", inPort(4, "Third"))
      yield* until(() => connected().length === 2)
    })
  )

  it.effect("are in their true state after a storm of plugging, hang as they may, and nothing is left over", () =>
    Effect.gen(function* () {
      const { active, close, connected, devices, plug, scanned, unplug, until } = yield* bench()
      yield* scanned
      // a sequence that looks random and is always the same (Lehmer's generator)
      let seed = 4711
      const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
      const present = new Map<number, "answers" | "hangs">()
      for (let n = 0; n < 500; n++) {
        const number = random(5)
        const slow = Effect.repeat(Effect.yieldNow, { times: random(4) })
        if (present.delete(number)) {
          yield* unplug(`video${number}`)
        } else {
          const hangs = random(5) === 0
          const answer = hangs ? Effect.never : Effect.as(slow, camera(`Camera ${number}`))
          const place = Effect.as(slow, inPort(number, `Camera ${number}`, String(number)))
          present.set(number, hangs ? "hangs" : "answers")
          yield* plug(`video${number}`, answer, String(n), place)
        }
        if (random(3) === 0) yield* Effect.yieldNow
      }
      yield* plug("video9", camera("The last"))
      const names = [...present].flatMap(([number, how]) => (how === "hangs" ? [] : [`Camera ${number}`]))
      const now = () => connected(({ name }) => name)
      yield* until(() => now().length === names.length + 1 && names.every((name) => now().includes(name)))
      assert.isAtMost(devices.list().length, 6)
      assert.strictEqual(active().probing, present.size - names.length)
      yield* close
      assert.deepStrictEqual([connected(), active().probing], [[], 0])
    })
  )
})
