import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Devices } from "../../../src/device/Devices.ts"
import { faultOf } from "../../../src/device/Fault.ts"
import { syntheticInput } from "../../../src/device/SyntheticInput.ts"
import * as BusyCameras from "../../../src/device/v4l2/BusyCameras.ts"
import { v4l2Input } from "../../../src/device/v4l2/V4l2Input.ts"
import { V4l2Nodes } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { devicesInMemory, found } from "../InMemory.ts"

const bench = Effect.gen(function* () {
  const asked: Array<string> = []
  const free = new Set<string>()
  const nodes = Layer.succeed(V4l2Nodes, {
    prepare: Effect.void,
    location: () => Effect.never,
    name: () => "",
    probe: () => Effect.never,
    isFree: (path) => Effect.sync(() => (asked.push(path), free.has(path)))
  })
  const context = yield* Layer.build(BusyCameras.layer.pipe(Layer.provideMerge(devicesInMemory), Layer.provide(nodes)))
  const devices = yield* Effect.provide(Devices, Layer.succeedContext(context))
  const camera = yield* devices.attach(found("usb:a", { input: v4l2Input("/dev/video0") }))
  const other = yield* devices.attach(found("usb:b", { input: v4l2Input("/dev/video2") }))
  return { asked, free, devices, camera: camera.id, other: other.id }
})

const busy = faultOf("BUSY", "opened by obs (process 812)")

describe("a camera that another program has", () => {
  it.effect("is asked every 2 s whether it is free, and is connected again when it is", () =>
    Effect.gen(function* () {
      const { asked, camera, devices, free } = yield* bench
      yield* devices.fault(camera, busy)
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(asked, [])
      yield* TestClock.adjust("4001 millis")
      assert.deepStrictEqual(asked, ["/dev/video0", "/dev/video0", "/dev/video0"])
      assert.deepInclude(yield* devices.get(camera), { status: "ERROR" })
      free.add("/dev/video0")
      yield* TestClock.adjust("2 seconds")
      yield* Stream.runHead(Stream.filter(devices.changes, ({ status }) => status === "CONNECTED"))
      assert.deepInclude(yield* devices.get(camera), { status: "CONNECTED" })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(asked.length, 4)
    })
  )

  it.effect("is not asked any more when it recovers otherwise, has another fault, or is pulled out", () =>
    Effect.gen(function* () {
      const { asked, camera, devices, other } = yield* bench
      const scope = yield* Scope.make()
      const { id: third } = yield* Scope.provide(devices.attach(found("usb:c")), scope)
      for (const id of [camera, other, third]) yield* devices.fault(id, busy)
      yield* devices.recovered(camera)
      yield* devices.fault(other, faultOf("FROZEN", "no frame for 2 s"))
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked, [])
    })
  )

  it.effect("is the only one that is asked: never one that works, or has another fault, or is no V4L2 node", () =>
    Effect.gen(function* () {
      const { asked, camera, devices } = yield* bench
      const { id } = yield* devices.attach(found("synthetic:0", { input: syntheticInput(0) }))
      yield* devices.fault(id, busy)
      yield* devices.fault(camera, faultOf("NO_BANDWIDTH", "the bus is full"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(asked, [])
    })
  )
})
