import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { CameraNames } from "../../src/device/CameraNames.ts"
import { dataFolderAt, temporaryFolder } from "../storage/Workbench.ts"

/** One run of the service on a data folder: the names of these cameras, in this order. */
const runOn = (root: string, identities: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const names = yield* CameraNames
    return yield* Effect.forEach(identities, names.nameFor)
  }).pipe(Effect.provide(CameraNames.layer.pipe(Layer.provide(dataFolderAt(root)))), Effect.scoped)

const read = (file: string) => Effect.promise(() => readFile(file, "utf8"))

describe("a camera's name", () => {
  it.effect("stays with the camera across restarts, in whatever order cameras are found", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      assert.deepStrictEqual(yield* runOn(root, ["usb:a", "usb:b", "usb:a"]), ["camera0", "camera1", "camera0"])
      assert.deepStrictEqual(yield* runOn(root, ["usb:c", "usb:b", "usb:a"]), ["camera2", "camera1", "camera0"])
    })
  )

  it.effect("is never given to another camera while its own is away", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* runOn(root, ["usb:a"])
      assert.deepStrictEqual(yield* runOn(root, ["usb:b"]), ["camera1"])
      assert.deepStrictEqual(yield* runOn(root, ["usb:a"]), ["camera0"])
    })
  )

  it.effect("is one for each of many cameras that come at once", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const identities = Array.from({ length: 20 }, (_, n) => `usb:${n}`)
      const given = yield* Effect.gen(function* () {
        const names = yield* CameraNames
        return yield* Effect.forEach(identities, names.nameFor, { concurrency: "unbounded" })
      }).pipe(Effect.provide(CameraNames.layer.pipe(Layer.provide(dataFolderAt(root)))), Effect.scoped)
      assert.strictEqual(new Set(given).size, 20)
      assert.deepStrictEqual(yield* runOn(root, identities), given)
    })
  )

  it.effect("begins anew when the file of names is broken, and the broken file is kept", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* runOn(root, ["usb:a", "usb:b"])
      const file = join(root, "cameras.json")
      yield* Effect.promise(() => writeFile(file, '{"usb:a": "came'))
      assert.deepStrictEqual(yield* runOn(root, ["usb:b"]), ["camera0"])
      assert.strictEqual(yield* read(`${file}.bad`), '{"usb:a": "came')
      assert.deepStrictEqual(JSON.parse(yield* read(file)), { "usb:b": "camera0" })
    })
  )

  it.effect("is given for this run when it cannot be kept", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const given = yield* Effect.gen(function* () {
        const names = yield* CameraNames
        // a folder in the file's place: the rename over it fails
        yield* Effect.promise(() => mkdir(join(root, "cameras.json", "inside"), { recursive: true }))
        return yield* Effect.forEach(["usb:a", "usb:b", "usb:a"], names.nameFor)
      }).pipe(Effect.provide(CameraNames.layer.pipe(Layer.provide(dataFolderAt(root)))), Effect.scoped)
      assert.deepStrictEqual(given, ["camera0", "camera1", "camera0"])
    })
  )
})
