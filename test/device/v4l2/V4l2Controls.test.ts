import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ControlFlag, ControlInfo } from "../../../src/device/Control.ts"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { Kernel } from "../../../src/device/v4l2/Kernel.ts"
import { V4l2Controls } from "../../../src/device/v4l2/V4l2Controls.ts"
import { flag, type } from "../../../testing/V4l2Controls.ts"
import { fakeCameras } from "./ControlCalls.ts"
import { brightness, described, everyKind, expected, kernelOn, path, withCamera, plain } from "./PlayedControls.ts"

describe("a camera's controls", () => {
  it.effect("are listed with their ranges, menus and values; classes, arrays and compound ones are left out", () =>
    withCamera(everyKind(), (leaf) =>
      Effect.map(leaf.list(path), (controls) => assert.deepStrictEqual(controls as ReadonlyArray<unknown>, expected))
    )
  )

  it.effect("are described one by one, and there is none of an id that is not listed", () =>
    withCamera(everyKind(), (leaf) =>
      Effect.gen(function* () {
        for (const { value: _, ...info } of expected) {
          assert.deepStrictEqual<unknown>(yield* leaf.describe(path, info.id), info)
        }
        for (const id of [0x980001, 0x980985, 0x980986, 0x980987, 0x98ffff]) {
          assert.isUndefined(yield* leaf.describe(path, id))
        }
      })
    )
  )

  it.effect.each<[number, ReadonlyArray<ControlFlag>]>([
    [flag.grabbed, ["grabbed"]],
    [flag.readOnly, ["readOnly"]],
    [flag.inactive, ["inactive"]],
    [flag.writeOnly, ["writeOnly"]],
    [flag.volatile, ["volatile"]],
    [flag.slider, []],
    [flag.readOnly | flag.inactive | flag.volatile, ["readOnly", "inactive", "volatile"]]
  ])("of flags %i are %j", ([flags, meant]) =>
    withCamera([brightness({ flags })], (leaf) =>
      Effect.map(leaf.list(path), ([control]) => assert.deepStrictEqual([...(control?.flags ?? [])], meant))
    )
  )

  it.effect("are read anew each time", () => {
    const control = brightness()
    return withCamera([control], (leaf) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* leaf.list(path))[0]?.value, 50n)
        control.value = 70n
        assert.strictEqual((yield* leaf.list(path))[0]?.value, 70n)
      })
    )
  })

  it.effect("that cannot be read are not asked for, and one that fails to answer does not hide the others", () =>
    withCamera(
      [
        brightness({ id: 1, name: "pushed", type: type.button }),
        brightness({ id: 2, name: "secret", flags: flag.writeOnly }),
        brightness({ id: 3, name: "broken", broken: true }),
        brightness({ id: 4, name: "fine" })
      ],
      (leaf, { log }) =>
        Effect.gen(function* () {
          const values = (yield* leaf.list(path)).map(({ value }) => value)
          assert.deepStrictEqual(values, [undefined, undefined, undefined, 50n])
          assert.deepStrictEqual(log, ["G_EXT_CTRLS broken", "G_EXT_CTRLS fine"])
        })
    )
  )

  it.effect.each<[string, number, bigint | string, bigint | string]>([
    ["an integer, which the driver rounds to a step", 0x980900, -13n, -16n],
    ["a boolean", 0x98090c, 0n, 0n],
    ["a menu", 0x980918, 3n, 3n],
    ["an integer64", 0x980981, -(2n ** 63n), -(2n ** 63n)],
    ["a text that fills its room", 0x980982, "zwölf Bytes", "zwölf Bytes"],
    ["a text with blanks around it", 0x980982, " a ", " a "],
    ["an empty text", 0x980982, "", ""],
    ["a bitmask with the highest bit", 0x980983, 0x80402010n, 0x80402010n],
    ["an integer menu", 0x980984, 1n, 1n]
  ])("are set, and read back: %s", ([, id, value, then]) => {
    return withCamera(everyKind(), (leaf) =>
      Effect.gen(function* () {
        const control = yield* leaf.set(path, yield* described(leaf, id), value)
        assert.strictEqual(control.value, then)
        assert.deepInclude(yield* leaf.list(path), control)
      })
    )
  })

  it.effect("that are buttons are pushed", () =>
    withCamera(everyKind(), (leaf, { log }) =>
      Effect.gen(function* () {
        const control = yield* leaf.set(path, yield* described(leaf, 0x980980), 0n)
        assert.isUndefined(control.value)
        assert.deepStrictEqual(log, ["S_EXT_CTRLS Reset"])
      })
    )
  )

  it.effect("are not set where the driver refuses", () =>
    withCamera([brightness({ broken: true })], (leaf) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(leaf.set(path, yield* described(leaf, 0x980900), 10n))
        assert.strictEqual(error.code, "REFUSED")
      })
    )
  )

  it.effect("are gone with a camera that is pulled out, also amid a list", () =>
    withCamera([brightness()], (leaf, cameras) =>
      Effect.gen(function* () {
        const control: ControlInfo = yield* described(leaf, 0x980900)
        cameras.unplug(path)
        for (const asked of [leaf.list(path), leaf.describe(path, 0x980900), leaf.set(path, control, 1n)]) {
          assert.strictEqual((yield* Effect.flip<unknown, { readonly code: string }, never>(asked)).code, "GONE")
        }
        assert.strictEqual((yield* Effect.flip(leaf.list("/dev/video9"))).code, "GONE")
      })
    )
  )

  it.live("are gone where the real kernel knows no camera: what is asked of it does no harm", () =>
    Effect.gen(function* () {
      const leaf = yield* V4l2Controls
      assert.strictEqual((yield* Effect.flip(leaf.list("/dev/null"))).code, "GONE")
      const text: ControlInfo = {
        ...plain,
        id: 1,
        name: "",
        type: "string",
        minimum: 0n,
        maximum: 9n,
        step: 1n,
        default: 0n
      }
      assert.strictEqual((yield* Effect.flip(leaf.set("/dev/null", text, "x"))).code, "GONE")
    }).pipe(
      Effect.provide(
        V4l2Controls.layer.pipe(Layer.provide(Kernel.layer.pipe(Layer.provide([KernelCalls.layer, KernelFiles.layer]))))
      )
    )
  )

  it.effect("are none where the camera has none", () =>
    withCamera([], (leaf) => Effect.map(leaf.list(path), (controls) => assert.deepStrictEqual(controls, [])))
  )

  it.effect("end where a driver begins anew", () => {
    const cameras = fakeCameras({ [path]: [brightness()] })
    const { ioctls } = cameras.calls
    const turning = kernelOn({
      ...cameras.calls,
      ioctls: async () => {
        const bound = await ioctls()
        return {
          ...bound,
          ioctlAsync: (fd, request, argument) => {
            // NEXT_CTRL of any id is the first control again
            if (argument.length === 232) argument.writeUInt32LE(0x80000000, 0)
            return bound.ioctlAsync(fd, request, argument)
          }
        }
      }
    })
    return Effect.gen(function* () {
      const leaf = yield* V4l2Controls
      assert.lengthOf(yield* leaf.list(path), 1)
    }).pipe(Effect.provide(V4l2Controls.layer.pipe(Layer.provide(turning))))
  })

  it.effect("are asked for over a node that is closed afterwards", () =>
    withCamera(everyKind(), (leaf, { openNodes }) =>
      Effect.gen(function* () {
        yield* Effect.all([leaf.list(path), leaf.list(path)], { concurrency: "unbounded" })
        while (openNodes().length > 0) yield* Effect.yieldNow
      })
    )
  )
})
