import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import type { ControlFlag, ControlInfo } from "../../../src/device/Control.ts"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { hour, onSettableClock } from "../../support/WallClock.ts"
import { Kernel } from "../../../src/device/v4l2/Kernel.ts"
import { V4l2Controls } from "../../../src/device/v4l2/V4l2Controls.ts"
import { flag, type PlayedControl, type } from "../../../testing/V4l2Controls.ts"
import { fakeCameras } from "./ControlCalls.ts"

const path = "/dev/video0"

/** One control of each kind that a client may meet, in the order of their ids. */
const everyKind = (): ReadonlyArray<PlayedControl> => [
  { id: 0x980001, name: "User Controls", type: type.class, flags: flag.readOnly | flag.writeOnly, value: 0n },
  { id: 0x980900, name: "Brightness", type: type.integer, range: [-64n, 64n, 8n], default: 8n, value: -16n },
  { id: 0x98090c, name: "White Balance, Automatic", type: type.boolean, range: [0n, 1n, 1n], default: 1n, value: 1n },
  {
    id: 0x980918,
    name: "Power Line Frequency",
    type: type.menu,
    range: [0n, 3n, 1n],
    default: 2n,
    menu: { 0: "Disabled", 1: "50 Hz", 3: "Auto" },
    value: 1n
  },
  { id: 0x980980, name: "Reset", type: type.button, flags: flag.writeOnly, value: 0n },
  {
    id: 0x980981,
    name: "Large",
    type: type.integer64,
    range: [-(2n ** 63n), 2n ** 63n - 1n, 1n],
    default: 2n ** 60n,
    value: -(2n ** 62n)
  },
  { id: 0x980982, name: "Label", type: type.string, range: [0n, 12n, 1n], value: "Tür" },
  {
    id: 0x980983,
    name: "Regions",
    type: type.bitmask,
    range: [0n, 0x80402010n, 0n],
    default: 0x80000010n,
    value: 0x80000000n
  },
  {
    id: 0x980984,
    name: "Link Frequency",
    type: type.integerMenu,
    range: [1n, 2n, 1n],
    default: 1n,
    menu: { 1: 2n ** 40n, 2: -5n },
    value: 2n
  },
  { id: 0x980985, name: "Matrix", type: type.integer, range: [0n, 9n, 1n], dimensions: 2, value: 0n },
  { id: 0x980986, name: "Area", type: type.area, value: 0n },
  { id: 0x980987, name: "Broken by design", type: type.integer, flags: flag.disabled, value: 0n }
]

const plain = { menu: [], flags: new Set<ControlFlag>() }
const expected = [
  {
    ...plain,
    id: 0x980900,
    name: "Brightness",
    type: "integer",
    minimum: -64n,
    maximum: 64n,
    step: 8n,
    default: 8n,
    value: -16n
  },
  {
    ...plain,
    id: 0x98090c,
    name: "White Balance, Automatic",
    type: "boolean",
    minimum: 0n,
    maximum: 1n,
    step: 1n,
    default: 1n,
    value: 1n
  },
  {
    ...plain,
    id: 0x980918,
    name: "Power Line Frequency",
    type: "menu",
    minimum: 0n,
    maximum: 3n,
    step: 1n,
    default: 2n,
    menu: [
      { value: 0, name: "Disabled" },
      { value: 1, name: "50 Hz" },
      { value: 3, name: "Auto" }
    ],
    value: 1n
  },
  {
    ...plain,
    id: 0x980980,
    name: "Reset",
    type: "button",
    minimum: 0n,
    maximum: 0n,
    step: 0n,
    default: 0n,
    flags: new Set(["writeOnly"]),
    value: undefined
  },
  {
    ...plain,
    id: 0x980981,
    name: "Large",
    type: "integer64",
    minimum: -(2n ** 63n),
    maximum: 2n ** 63n - 1n,
    step: 1n,
    default: 2n ** 60n,
    value: -(2n ** 62n)
  },
  {
    ...plain,
    id: 0x980982,
    name: "Label",
    type: "string",
    minimum: 0n,
    maximum: 12n,
    step: 1n,
    default: 0n,
    value: "Tür"
  },
  {
    ...plain,
    id: 0x980983,
    name: "Regions",
    type: "bitmask",
    minimum: 0n,
    maximum: 0x80402010n,
    step: 0n,
    default: 0x80000010n,
    value: 0x80000000n
  },
  {
    ...plain,
    id: 0x980984,
    name: "Link Frequency",
    type: "integer_menu",
    minimum: 1n,
    maximum: 2n,
    step: 1n,
    default: 1n,
    menu: [
      { value: 1, name: "1099511627776" },
      { value: 2, name: "-5" }
    ],
    value: 2n
  }
]

const kernelOn = (calls: KernelCalls["Service"]) =>
  Kernel.layer.pipe(Layer.provide([Layer.succeed(KernelCalls, calls), KernelFiles.layer]))

const layerOf = (cameras: ReturnType<typeof fakeCameras>) =>
  V4l2Controls.layer.pipe(Layer.provide(kernelOn(cameras.calls)))

/** The controls of this camera, on the real kernel service over fake system calls. */
const withCamera = <A, E>(
  controls: ReadonlyArray<PlayedControl>,
  body: (leaf: V4l2Controls["Service"], cameras: ReturnType<typeof fakeCameras>) => Effect.Effect<A, E>
) => {
  const cameras = fakeCameras({ [path]: controls })
  return Effect.flatMap(V4l2Controls, (leaf) => body(leaf, cameras)).pipe(Effect.provide(layerOf(cameras)))
}

const described = Effect.fnUntraced(function* (leaf: V4l2Controls["Service"], id: number) {
  const control = yield* leaf.describe(path, id)
  if (control === undefined) throw new Error(`there is no control ${id}`)
  return control
})

const brightness = (more: Partial<PlayedControl> = {}): PlayedControl => ({
  id: 0x980900,
  name: "Brightness",
  type: type.integer,
  range: [0n, 100n, 10n],
  value: 50n,
  ...more
})

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

/** Cameras of which some hang, and how to wait for that. */
const ward = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  const cameras = fakeCameras(Object.fromEntries(names.map((name) => [name, [brightness()]])))
  const hung = yield* Queue.unbounded<string>()
  const leaf = yield* Layer.build(layerOf(cameras)).pipe(
    Effect.flatMap((context) => Effect.provide(V4l2Controls, context))
  )
  return {
    ...cameras,
    leaf,
    /** a call to each of these cameras, every one of which hangs in the kernel */
    hangUp: Effect.fnUntraced(function* (...hanging: ReadonlyArray<string>) {
      const fibers = []
      for (const name of hanging) {
        cameras.hang(name, (at) => Queue.offerUnsafe(hung, at))
        fibers.push(yield* Effect.forkChild(Effect.flip(leaf.list(name)), { startImmediately: true }))
        assert.strictEqual(yield* Queue.take(hung), name)
      }
      return fibers
    }),
    /** waits until what was done after a revival is over */
    until: (condition: () => boolean) =>
      Effect.gen(function* () {
        while (!condition()) yield* Effect.yieldNow
      })
  }
})

describe("a camera that does not answer", () => {
  it.effect("is given up after 2 s; who comes later is told so at once, until the kernel gives it up as well", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, hangingNow, openNodes, revive, until } = yield* ward(["a"])
      const [first] = yield* hangUp("a")
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(first?.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(first && (yield* Fiber.join(first)).code, "TIMEOUT")
      for (let n = 0; n < 20; n++) assert.strictEqual((yield* Effect.flip(leaf.list("a"))).code, "TIMEOUT")
      assert.strictEqual(hangingNow(), 1)
      assert.deepStrictEqual(openNodes(), ["a"])
      revive("a")
      yield* until(() => openNodes().length === 0)
      assert.lengthOf(yield* leaf.list("a"), 1)
    })
  )

  it.effect("has its 2 s, no more and no less, also when the machine's clock is set meanwhile", () =>
    onSettableClock(
      Effect.fnUntraced(function* (setWall) {
        for (const jump of [-hour, hour]) {
          const { hangUp, leaf, revive } = yield* ward(["a"])
          const [first] = yield* hangUp("a")
          yield* TestClock.adjust("1 second")
          setWall(jump)
          // nobody has given it up: who comes now waits with the first one
          const second = yield* Effect.forkChild(Effect.result(leaf.list("a")), { startImmediately: true })
          yield* TestClock.adjust("999 millis")
          assert.isUndefined(second.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(first && (yield* Fiber.join(first)).code, "TIMEOUT")
          assert.strictEqual((yield* Effect.flip(leaf.list("a"))).code, "TIMEOUT")
          revive("a")
          assert.strictEqual((yield* Fiber.join(second))._tag, "Success")
        }
      })
    )
  )

  it.effect("does not hold up the others", () =>
    Effect.gen(function* () {
      const { hangUp, leaf } = yield* ward(["a", "b"])
      yield* hangUp("a")
      assert.lengthOf(yield* leaf.list("b"), 1)
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(yield* leaf.list("b"), 1)
    })
  )

  it.effect("is one of three at most: another one's turn comes when one of them is done", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, most, revive, until, openNodes } = yield* ward(["a", "b", "c", "d"])
      yield* hangUp("a", "b", "c")
      const fourth = yield* Effect.forkChild(Effect.flip(leaf.list("d")), { startImmediately: true })
      yield* until(() => openNodes().includes("d"))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fourth)).code, "CROWDED")
      const later = yield* Effect.forkChild(leaf.list("d"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(most(), 3)
      revive("b")
      assert.lengthOf(yield* Fiber.join(later), 1)
      assert.strictEqual(most(), 3)
    })
  )

  it.effect("is asked by those who wait when it has answered in time", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, most, revive } = yield* ward(["a"])
      yield* hangUp("a")
      const others = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(leaf.list("a"), { startImmediately: true })
      )
      yield* TestClock.adjust("1 second")
      revive("a")
      for (const fiber of others) assert.lengthOf(yield* Fiber.join(fiber), 1)
      assert.strictEqual(most(), 1)
    })
  )

  it.effect("is left alone by one who has gone away meanwhile, and answers the next", () =>
    Effect.gen(function* () {
      const { hangUp, leaf, openNodes, revive } = yield* ward(["a"])
      const [first] = yield* hangUp("a")
      if (first !== undefined) yield* Fiber.interrupt(first)
      assert.deepStrictEqual(openNodes(), ["a"])
      const done = yield* Deferred.make<number>()
      yield* Effect.forkChild(
        Effect.flatMap(leaf.list("a"), (controls) => Deferred.succeed(done, controls.length)),
        { startImmediately: true }
      )
      revive("a")
      assert.strictEqual(yield* Deferred.await(done), 1)
    })
  )
})
