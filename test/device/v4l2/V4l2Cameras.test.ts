import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { KernelError } from "../../../src/device/v4l2/Kernel.ts"
import type { NodeLocation } from "../../../src/device/v4l2/NodeLocation.ts"
import type { NodeInfo } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { hour, onSettableClock } from "../../support/WallClock.ts"
import { bench, camera, formats, inPort, metadata, nowhere, refused } from "./V4l2Bench.ts"

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
})
