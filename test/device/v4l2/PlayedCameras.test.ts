import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { Settings } from "../../../src/config/Settings.ts"
import { CameraControls } from "../../../src/device/CameraControls.ts"
import { Devices } from "../../../src/device/Devices.ts"
import { faultOf } from "../../../src/device/Fault.ts"
import { Holders } from "../../../src/device/v4l2/Holders.ts"
import { Kernel } from "../../../src/device/v4l2/Kernel.ts"
import * as V4l2Cameras from "../../../src/device/v4l2/V4l2Cameras.ts"
import { V4l2Controls } from "../../../src/device/v4l2/V4l2Controls.ts"
import { Cameras } from "../../../testing/Cameras.ts"
import { type } from "../../../testing/V4l2Controls.ts"
import { testSettings } from "../../support/TestSettings.ts"
import { devicesInMemory } from "../InMemory.ts"

/** All that the service has of V4L2, on cameras that are played. */
const ground = Layer.mergeAll(
  V4l2Cameras.layer,
  CameraControls.layer.pipe(Layer.provide(V4l2Controls.layer), Layer.provide(Kernel.layer)),
  Holders.layer
).pipe(
  Layer.provideMerge(devicesInMemory),
  Layer.provideMerge(Cameras.layer),
  Layer.provide(Layer.succeed(Settings, testSettings({})))
)

/** What is told of cameras, one after the other. */
const told = Effect.gen(function* () {
  const devices = yield* Devices
  const facts = yield* Queue.unbounded<string>()
  yield* devices.facts.follow(({ _tag, device: { fault, id, input, name } }) =>
    Queue.offer(facts, `${_tag} ${id} ${name} ${fault === undefined ? input.address : fault.kind}`)
  )
  return { next: Queue.take(facts) }
})

const on = <A, E>(body: Effect.Effect<A, E, Layer.Success<typeof ground> | Scope.Scope>) => Effect.provide(body, ground)

describe("a camera of the test ground", () => {
  it.effect("comes, goes, and is itself again in another port and under another number", () =>
    on(
      Effect.gen(function* () {
        const cameras = yield* Cameras
        const { next } = yield* told
        const front = yield* cameras.plug({ name: "Front", serial: "A" })
        assert.strictEqual(yield* next, "CameraConnected camera0 Front /dev/video0")
        const rear = yield* cameras.plug({ name: "Rear", formats: [{ fourcc: "YUYV", sizes: [[320, 240]] }] })
        assert.strictEqual(yield* next, "CameraConnected camera1 Rear /dev/video1")
        yield* front.unplug
        assert.strictEqual(yield* next, "CameraDisconnected camera0 Front /dev/video0")
        yield* front.replug(7)
        assert.strictEqual(yield* next, "CameraConnected camera0 Front /dev/video7")
        yield* rear.replug(0)
        assert.strictEqual(yield* next, "CameraDisconnected camera1 Rear /dev/video1")
        assert.strictEqual(yield* next, "CameraConnected camera1 Rear /dev/video0")
        const { formats } = yield* Effect.flatMap(Devices, (devices) => devices.get("camera1"))
        assert.deepStrictEqual(formats, [{ pixelFormat: "YUYV", sizes: [{ width: 320, height: 240, rates: [30] }] }])
        assert.strictEqual(cameras.at("/dev/video0"), rear)
        assert.deepStrictEqual([cameras.opened(), cameras.opening()], [[], 0])
      })
    )
  )

  it.effect("that hangs holds up no other, ten of them neither, and is there when it answers again", () =>
    on(
      Effect.gen(function* () {
        const cameras = yield* Cameras
        const { next } = yield* told
        const hanging = []
        for (let n = 0; n < 10; n++) {
          const camera = yield* cameras.plug({ name: `Hangs ${n}` })
          yield* next
          yield* camera.hang
          yield* camera.replug()
          yield* next
          hanging.push(camera)
        }
        // the clock stands still: nobody's deadline has to pass first
        yield* cameras.plug({ name: "Works" })
        assert.strictEqual(yield* next, "CameraConnected camera10 Works /dev/video10")
        assert.strictEqual(cameras.opening(), 10)
        yield* TestClock.adjust("2 seconds")
        for (let n = 0; n < 10; n++) assert.match(yield* next, /^CameraFaulty camera\d Hangs \d UNRESPONSIVE$/)
        for (const camera of hanging) yield* camera.revive
        yield* TestClock.adjust("5 seconds")
        for (let n = 0; n < 10; n++) assert.match(yield* next, /^CameraRecovered camera\d Hangs \d \/dev/)
        assert.deepStrictEqual([cameras.opened(), cameras.opening()], [[], 0])
      })
    )
  )

  it.effect("that may not be opened is shown as such, and works as soon as it may", () =>
    on(
      Effect.gen(function* () {
        const cameras = yield* Cameras
        const { next } = yield* told
        const camera = yield* cameras.plug({ name: "Front" })
        yield* next
        yield* camera.refuse
        yield* camera.replug()
        yield* next
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* next, "CameraFaulty camera0 Front NO_PERMISSION")
        yield* camera.allow
        assert.strictEqual(yield* next, "CameraRecovered camera0 Front /dev/video0")
      })
    )
  )

  it.effect("that another program has is its own, and free when that ends", () =>
    on(
      Effect.gen(function* () {
        const cameras = yield* Cameras
        const devices = yield* Devices
        const holders = yield* Holders
        const { next } = yield* told
        const camera = yield* cameras.plug({ name: "Front" })
        yield* next
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* camera.occupy("obs")
            assert.deepStrictEqual(yield* holders.of("/dev/video0"), [{ pid: 812, program: "obs" }])
            yield* devices.fault("camera0", faultOf("BUSY", "opened by obs"))
            assert.strictEqual(yield* next, "CameraFaulty camera0 Front BUSY")
            yield* TestClock.adjust("1 minute")
          })
        )
        assert.deepStrictEqual(yield* holders.of("/dev/video0"), [])
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* next, "CameraRecovered camera0 Front /dev/video0")
      })
    )
  )

  it.effect("has the controls it was made with, which can be set", () =>
    on(
      Effect.gen(function* () {
        const cameras = yield* Cameras
        const { list, set } = yield* CameraControls
        const { next } = yield* told
        const id = 0x980900
        const range = [0n, 100n, 10n] as const
        yield* cameras.plug({
          name: "Front",
          controls: [{ id, name: "Brightness", type: type.integer, range, value: 50n }]
        })
        yield* next
        assert.deepInclude((yield* list("camera0"))[0], { name: "Brightness", value: 50n })
        assert.strictEqual((yield* set("camera0", id, 68)).value, 70n)
        assert.deepInclude((yield* list("camera0"))[0], { value: 70n })
      })
    )
  )
})
