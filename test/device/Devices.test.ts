import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Device } from "../../src/device/Device.ts"
import { Devices } from "../../src/device/Devices.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import { listening } from "../support/Log.ts"
import { devicesInMemory, found } from "./InMemory.ts"

/** What a follower hears, from the first device known on. */
const heard = Effect.gen(function* () {
  const devices = yield* Devices
  const queue = yield* Queue.unbounded<Device>()
  yield* Effect.forkScoped(
    Stream.runForEach(devices.changes, (device) => Queue.offer(queue, device)),
    { startImmediately: true }
  )
  const next = Effect.map(Queue.take(queue), ({ fault, id, status }) =>
    fault === undefined ? `${id} ${status}` : `${id} ${status}: ${fault.kind}, ${fault.detail}`
  )
  return { next, pending: Queue.size(queue) }
})

describe("the registry of cameras", () => {
  it.effect("has a camera CONNECTED while it is attached, then DISCONNECTED, and the same name when it is back", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      const first = yield* Scope.make()
      const { id } = yield* Scope.provide(devices.attach(found("usb:a", { input: v4l2Input("/dev/video0") })), first)
      const before = yield* devices.get(id)
      assert.deepInclude(before, { id: "camera0", status: "CONNECTED" })
      assert.strictEqual(before.input.node, "/dev/video0")
      yield* Scope.close(first, Exit.void)
      assert.deepInclude(yield* devices.get(id), { status: "DISCONNECTED", name: "the camera usb:a" })
      yield* devices.attach(found("usb:a", { input: v4l2Input("/dev/video4") }))
      const after = yield* devices.get(id)
      assert.deepInclude(after, { id: "camera0", status: "CONNECTED" })
      assert.strictEqual(after.input.node, "/dev/video4")
      assert.strictEqual(devices.list().length, 1)
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("logs that a camera with a fault works, whoever finds that out", () => {
    const { layer, lines } = listening()
    return Effect.gen(function* () {
      const devices = yield* Devices
      const { id, update } = yield* devices.attach(found("usb:a"))
      for (const works of [devices.recovered(id), update(found("usb:a"))]) {
        yield* devices.fault(id, faultOf("FROZEN", "no frame for 2 s"))
        yield* works
        yield* works
      }
      const recovered = { level: "info", message: "camera recovered", "camera.id": id, "fault.kind": "FROZEN" }
      assert.deepEqual(
        lines.filter(({ message }) => message === "camera recovered"),
        [recovered, recovered]
      )
    }).pipe(Effect.provide(devicesInMemory), Effect.provide(layer))
  })

  it.effect("tells a follower what is there, then each change in its order", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      yield* devices.attach(found("usb:a"))
      const { next } = yield* heard
      assert.strictEqual(yield* next, "camera0 CONNECTED")
      const scope = yield* Scope.make()
      const { id } = yield* Scope.provide(devices.attach(found("usb:b")), scope)
      yield* devices.fault(id, faultOf("FROZEN", "no frame for 2 s"))
      yield* devices.recovered(id)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Effect.all([next, next, next, next]), [
        "camera1 CONNECTED",
        "camera1 ERROR: FROZEN, no frame for 2 s",
        "camera1 CONNECTED",
        "camera1 DISCONNECTED"
      ])
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect(
    "tells those first who tell clients, whoever came first; who follows the cameras hears of what is there already",
    () =>
      Effect.gen(function* () {
        const devices = yield* Devices
        const told: Array<string> = []
        const note = (who: string, id: string) => Effect.sync(() => void told.push(`${who}: ${id}`))
        yield* devices.attach(found("usb:a"))
        yield* devices.follow(({ id }) => note("path", id))
        yield* devices.facts.followFirst(({ camera }) => note("client", camera))
        yield* Effect.yieldNow
        assert.deepStrictEqual(told.splice(0), ["path: camera0"])
        for (const position of ["usb:b", "usb:c"]) yield* devices.attach(found(position))
        assert.deepStrictEqual(told, ["client: camera1", "path: camera1", "client: camera2", "path: camera2"])
      }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("tells a fault once, forgets it when the camera is pulled out, and knows none of one that is away", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      const { next, pending } = yield* heard
      const scope = yield* Scope.make()
      const { id } = yield* Scope.provide(devices.attach(found("usb:a")), scope)
      yield* devices.recovered(id)
      yield* devices.fault(id, faultOf("BUSY", "opened by obs"))
      yield* devices.fault(id, faultOf("BUSY", "opened by obs"))
      yield* Scope.close(scope, Exit.void)
      yield* devices.fault(id, faultOf("BUSY", "opened by obs"))
      assert.deepStrictEqual(yield* Effect.all([next, next, next]), [
        "camera0 CONNECTED",
        "camera0 ERROR: BUSY, opened by obs",
        "camera0 DISCONNECTED"
      ])
      assert.strictEqual(yield* pending, 0)
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("has a camera that cannot be used at first in its ERROR from the start, never CONNECTED before", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      const { next } = yield* heard
      const scope = yield* Scope.make()
      const fault = faultOf("NO_PERMISSION", "may not be opened")
      const { update } = yield* Scope.provide(devices.attach(found("usb:a"), fault), scope)
      yield* update(found("usb:a"))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Effect.all([next, next, next]), [
        "camera0 ERROR: NO_PERMISSION, may not be opened",
        "camera0 CONNECTED",
        "camera0 DISCONNECTED"
      ])
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("shows what is learnt of a camera later", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      const { id, update } = yield* devices.attach(found("usb:a"))
      yield* devices.fault(id, faultOf("NO_PERMISSION", "may not be opened"))
      const formats = [{ pixelFormat: "MJPG", sizes: [{ width: 640, height: 480, rates: [30] }] }]
      yield* update(found("usb:a", { formats }))
      const device = yield* devices.get(id)
      assert.deepInclude(device, { status: "CONNECTED", formats })
      assert.isUndefined(device.fault)
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("lists cameras by number, and gives the same list until something changes", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      for (let n = 0; n < 11; n++) yield* devices.attach(found(`usb:${n}`))
      const list = devices.list()
      assert.deepStrictEqual(
        list.map(({ id }) => id),
        Array.from({ length: 11 }, (_, n) => `camera${n}`)
      )
      assert.strictEqual(devices.list(), list)
      yield* devices.fault("camera2", faultOf("WRONG_DATA", "no JPEG"))
      assert.notStrictEqual(devices.list(), list)
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("tells each thing that happens to a camera once, and what it was", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      yield* devices.attach(found("usb:a"))
      const told: Array<string> = []
      yield* devices.facts.follow(({ _tag, device }) =>
        Effect.sync(() => void told.push(`${_tag} ${device.id} ${device.status}`))
      )
      const scope = yield* Scope.make()
      const { id, update } = yield* Scope.provide(devices.attach(found("usb:b")), scope)
      yield* devices.fault(id, faultOf("FROZEN", "no frame for 2 s"))
      yield* devices.recovered(id)
      yield* devices.changed(id)
      yield* update(found("usb:b", { name: "Rear" }))
      yield* devices.fault(id, faultOf("FROZEN", "no frame for 2 s"))
      yield* update(found("usb:b"))
      yield* Scope.close(scope, Exit.void)
      const refused = yield* Scope.make()
      yield* Scope.provide(devices.attach(found("usb:b"), faultOf("NO_PERMISSION", "may not be opened")), refused)
      yield* Effect.yieldNow
      assert.deepStrictEqual(told, [
        "CameraConnected camera1 CONNECTED",
        "CameraFaulty camera1 ERROR",
        "CameraRecovered camera1 CONNECTED",
        "CameraChanged camera1 CONNECTED",
        "CameraChanged camera1 CONNECTED",
        "CameraFaulty camera1 ERROR",
        "CameraRecovered camera1 CONNECTED",
        "CameraDisconnected camera1 DISCONNECTED",
        "CameraFaulty camera1 ERROR"
      ])
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("forgets a camera that is away, and no other; its name is kept for it or free for the next", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      const told: Array<string> = []
      yield* devices.facts.follow(({ _tag, device }) => Effect.sync(() => void told.push(`${_tag} ${device.id}`)))
      const { next, pending } = yield* heard
      const scope = yield* Scope.make()
      for (const position of ["rtsp:a", "rtsp:b"]) yield* Scope.provide(devices.attach(found(position)), scope)
      yield* devices.forget("camera0", "free")
      assert.strictEqual(devices.list().length, 2)
      yield* Scope.close(scope, Exit.void)
      yield* devices.forget("camera0", "free")
      yield* devices.forget("camera1", "kept")
      assert.deepStrictEqual(devices.list(), [])
      assert.strictEqual((yield* Effect.flip(devices.get("camera0")))._tag, "NotFound")
      const names = yield* Effect.forEach(["rtsp:b", "rtsp:c"], (position) => devices.attach(found(position)))
      assert.deepStrictEqual(
        names.map(({ id }) => id),
        ["camera1", "camera0"]
      )
      yield* Effect.yieldNow
      assert.deepStrictEqual(told.slice(4, 6), ["CameraForgotten camera0", "CameraForgotten camera1"])
      // who follows the state of cameras hears of those that there are
      for (let n = 0; n < 6; n++) yield* next
      assert.strictEqual(yield* pending, 0)
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("does not know a camera that was never there", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      const error = yield* Effect.flip(devices.get("camera7"))
      assert.deepInclude(error, { _tag: "NotFound", resource: "camera", id: "camera7" })
    }).pipe(Effect.provide(devicesInMemory))
  )

  it.effect("is settled when every provider has finished its first look", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      assert.isTrue(devices.settled())
      const one = yield* devices.looking("one")
      const two = yield* devices.looking("two")
      const waiting = yield* Effect.forkChild(devices.awaitSettled, { startImmediately: true })
      yield* one
      assert.isFalse(devices.settled())
      assert.isUndefined(waiting.pollUnsafe())
      yield* two
      yield* Fiber.join(waiting)
      assert.isTrue(devices.settled())
    }).pipe(Effect.provide(devicesInMemory))
  )
})
