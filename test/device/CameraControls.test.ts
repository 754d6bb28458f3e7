import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { CameraControls } from "../../src/device/CameraControls.ts"
import type { Control } from "../../src/device/Control.ts"
import { Devices } from "../../src/device/Devices.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { syntheticInput } from "../../src/device/SyntheticInput.ts"
import { ControlsFailed, V4l2Controls } from "../../src/device/v4l2/V4l2Controls.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import { devicesInMemory, found } from "./InMemory.ts"

const brightness: Control = {
  id: 0x980900,
  name: "Brightness",
  type: "integer",
  minimum: 0n,
  maximum: 100n,
  step: 10n,
  default: 50n,
  menu: [],
  flags: new Set(),
  value: 50n
}

/** Cameras `camera0` (V4L2) and `camera1` (synthetic), over a leaf that answers so. */
const withCameras = <A, E>(
  answers: Partial<V4l2Controls["Service"]>,
  body: (controls: CameraControls["Service"], unplug: Effect.Effect<void>) => Effect.Effect<A, E, Devices>
) => {
  const leaf = Layer.mock(V4l2Controls)(answers)
  return Effect.gen(function* () {
    const devices = yield* Devices
    const plugged = yield* Scope.fork(yield* Effect.scope)
    yield* Scope.provide(devices.attach(found("usb:a", { input: v4l2Input("/dev/video4") })), plugged)
    yield* devices.attach(found("synthetic:0", { input: syntheticInput(0) }))
    return yield* body(yield* CameraControls, Scope.close(plugged, Exit.void))
  }).pipe(Effect.provide(CameraControls.layer.pipe(Layer.provide(leaf), Layer.provideMerge(devicesInMemory))))
}

const failing = (code: string) => Effect.fail(new ControlsFailed({ code }))

describe("a camera's controls", () => {
  it.effect("are those of its node", () =>
    withCameras({ list: (path) => Effect.succeed(path === "/dev/video4" ? [brightness] : []) }, ({ list }) =>
      Effect.map(list("camera0"), (controls) => assert.deepStrictEqual(controls, [brightness]))
    )
  )

  it.effect("are none of a synthetic camera", () =>
    withCameras({}, ({ list, set }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* list("camera1"), [])
        const error = yield* Effect.flip(set("camera1", 0x980900, 1))
        assert.deepInclude(error, { _tag: "NotFound", resource: "control", id: "9963776" })
      })
    )
  )

  it.effect("are set to what is allowed, and given as the driver made them", () =>
    withCameras(
      {
        describe: () => Effect.succeed(brightness),
        set: (_path, control, value) => Effect.succeed({ ...control, value: BigInt(value) - 3n })
      },
      ({ set }) =>
        Effect.map(set("camera0", 0x980900, 43), (control) =>
          assert.deepStrictEqual(control, { ...brightness, value: 40n })
        )
    )
  )

  it.effect("are left alone where the value breaks a rule: the camera is not even asked", () =>
    withCameras({ describe: () => Effect.succeed(brightness) }, ({ set }) =>
      Effect.map(Effect.flip(set("camera0", 0x980900, 101)), (error) =>
        assert.deepInclude(error, { _tag: "InvalidParams", param: "value" })
      )
    )
  )

  it.effect.each([-1, 0, 0x10000000, 0x80980900, 2 ** 40])(
    "have no id %d: the kernel would take it for another",
    (id) =>
      withCameras({ describe: () => Effect.succeed(brightness) }, ({ set }) =>
        Effect.map(Effect.flip(set("camera0", id, 1)), (error) =>
          assert.deepInclude(error, { _tag: "NotFound", resource: "control", id: String(id) })
        )
      )
  )

  it.effect("are not found where the camera knows none of that id", () =>
    withCameras({ describe: () => Effect.undefined }, ({ set }) =>
      Effect.map(Effect.flip(set("camera0", 7, 1)), (error) =>
        assert.deepInclude(error, { _tag: "NotFound", resource: "control", id: "7" })
      )
    )
  )

  it.effect.each<[string, string]>([
    ["TIMEOUT", "the camera does not answer control requests"],
    ["CROWDED", "several cameras do not answer control requests, and this one's turn did not come"],
    ["REFUSED", "the camera refused it"],
    ["EACCES", "the service may not open the camera"],
    ["NO_FFI", "the kernel cannot be asked on this machine"],
    ["EIO", "the camera cannot be opened: EIO"]
  ])("fail with what is to be done about it: %s", ([code, detail]) =>
    withCameras({ list: () => failing(code), describe: () => failing(code) }, ({ list, set }) =>
      Effect.gen(function* () {
        const expected = { _tag: "DependencyFailed", dependency: "camera", detail } as const
        assert.deepInclude(yield* Effect.flip(list("camera0")), expected)
        assert.deepInclude(yield* Effect.flip(set("camera0", 1, 1)), expected)
      })
    )
  )

  it.effect("are not there when the camera is away, or is pulled out meanwhile", () =>
    withCameras(
      { list: () => failing("GONE"), describe: () => Effect.succeed(brightness), set: () => failing("GONE") },
      ({ list, set }, unplug) =>
        Effect.gen(function* () {
          const expected = { _tag: "InvalidState", state: "DISCONNECTED", allowed_states: ["CONNECTED"] } as const
          assert.deepInclude(yield* Effect.flip(list("camera0")), expected)
          assert.deepInclude(yield* Effect.flip(set("camera0", 1, 1)), expected)
          yield* unplug
          assert.deepInclude(yield* Effect.flip(list("camera0")), expected)
          assert.deepInclude(yield* Effect.flip(set("camera0", 1, 1)), expected)
          const unknown = yield* Effect.flip(list("camera7"))
          assert.deepInclude(unknown, { _tag: "NotFound", resource: "camera", id: "camera7" })
        })
    )
  )

  it.effect("may be asked for while another program has the camera", () =>
    withCameras({ list: () => Effect.succeed([brightness]) }, ({ list }) =>
      Effect.gen(function* () {
        yield* (yield* Devices).fault("camera0", faultOf("BUSY", "opened by obs (process 812)"))
        assert.lengthOf(yield* list("camera0"), 1)
      })
    )
  )
})
