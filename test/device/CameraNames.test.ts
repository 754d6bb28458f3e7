import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { CameraNames } from "../../src/device/CameraNames.ts"
import type { Identity } from "../../src/device/Device.ts"
import { dataFolderAt, temporaryFolder } from "../storage/Workbench.ts"

const at = (port: number): Identity => ({ position: `bus:usb-x-${port}:046d:0825:0` })
const own = (serial: string, port: number): Identity => ({ serial: `usb:046d:0825:${serial}:0`, ...at(port) })
/** One of several cameras whose maker gave all the same serial number. */
const twin = (port: number): Identity => own("0001", port)

type Names = CameraNames["Service"]

/** One run of the service on a data folder, from its start to its end. */
const run = <A>(root: string, body: (names: Names) => Effect.Effect<A, never, Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(CameraNames, body)).pipe(
    Effect.provide(CameraNames.layer.pipe(Layer.provide(dataFolderAt(root))))
  )

/** All of these are there when the service starts, and are named in this order. */
const start = (names: Names, identities: ReadonlyArray<Identity>) =>
  Effect.gen(function* () {
    yield* Effect.forEach(identities, names.expect)
    return yield* Effect.forEach(identities, names.claim)
  })
const runWith = (root: string, identities: ReadonlyArray<Identity>) => run(root, (names) => start(names, identities))

/** A camera that can be pulled out. */
const plug = Effect.fnUntraced(function* (names: Names, identity: Identity) {
  const scope = yield* Scope.make()
  const name = yield* Scope.provide(start(names, [identity]), scope)
  return { name: name[0], unplug: Scope.close(scope, Exit.void) }
})

const read = (file: string) => Effect.promise(() => readFile(file, "utf8"))

describe("a camera's name", () => {
  it.effect("stays with the camera across restarts, in whatever order cameras are found", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const [a, b, c] = [own("A", 1), at(2), own("C", 3)]
      assert.deepStrictEqual(yield* runWith(root, [a, b]), ["camera0", "camera1"])
      assert.deepStrictEqual(yield* runWith(root, [c, b, a]), ["camera2", "camera1", "camera0"])
    })
  )

  it.effect("is another camera's when it was given up, also in the next run", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* runWith(root, [at(1), at(2)])
      yield* run(root, (names) => names.giveUp("camera0"))
      assert.deepStrictEqual(yield* runWith(root, [at(3), at(1), at(2)]), ["camera0", "camera2", "camera1"])
    })
  )

  it.effect("is never given to another camera while its own is away", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* runWith(root, [at(1)])
      assert.deepStrictEqual(yield* runWith(root, [at(2)]), ["camera1"])
      assert.deepStrictEqual(yield* runWith(root, [at(1)]), ["camera0"])
    })
  )

  it.effect("moves with a serial number of its own to another port, in a run and between two", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* run(root, (names) =>
        Effect.gen(function* () {
          const before = yield* plug(names, own("A", 1))
          yield* before.unplug
          assert.strictEqual((yield* plug(names, own("A", 2))).name, before.name)
        })
      )
      assert.deepStrictEqual(yield* runWith(root, [own("A", 3)]), ["camera0"])
      // the place is not its own any more
      assert.deepStrictEqual(yield* runWith(root, [own("B", 2), own("A", 3)]), ["camera1", "camera0"])
    })
  )

  it.effect("goes with the port where there is no serial number, and with the model that is plugged in there", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const other = { position: "bus:usb-x-1:1234:5678:0" }
      yield* run(root, (names) =>
        Effect.gen(function* () {
          const first = yield* plug(names, at(1))
          yield* first.unplug
          const moved = yield* plug(names, at(2))
          yield* moved.unplug
          const another = yield* plug(names, other)
          assert.deepStrictEqual([first.name, moved.name, another.name], ["camera0", "camera1", "camera2"])
        })
      )
      assert.deepStrictEqual(yield* runWith(root, [other, at(2)]), ["camera2", "camera1"])
    })
  )

  it.effect("is another one for each of two cameras that cannot be told apart", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      assert.deepStrictEqual(yield* runWith(root, [at(1), at(1)]), ["camera0", "camera1"])
      assert.deepStrictEqual(yield* runWith(root, [at(1), at(1)]), ["camera0", "camera1"])
      assert.deepStrictEqual(yield* runWith(root, [twin(2), twin(2)]), ["camera2", "camera3"])
    })
  )

  it.effect("is one for each of many cameras that come at once", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const identities = Array.from({ length: 32 }, (_, port) => (port % 2 === 0 ? at(port) : twin(port)))
      const given = yield* run(root, (names) => Effect.forEach(identities, names.claim, { concurrency: "unbounded" }))
      assert.strictEqual(new Set(given).size, 32)
      assert.deepStrictEqual(yield* runWith(root, identities.toReversed()), given.toReversed())
    })
  )

  it.effect("begins anew when the file of names is broken, and the broken file is kept", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const file = join(root, "cameras.json")
      const broken = ['{"version":1,"cameras":{"camera0":{"pos', '{"usb:a":"camera0"}', '{"version":2,"cameras":{}}']
      for (const text of broken) {
        yield* Effect.promise(() => writeFile(file, text))
        assert.deepStrictEqual(yield* runWith(root, [twin(2)]), ["camera0"])
        assert.strictEqual(yield* read(`${file}.bad`), text)
        assert.deepStrictEqual(JSON.parse(yield* read(file)), { version: 1, cameras: { camera0: twin(2) } })
      }
    })
  )

  it.effect("is given for this run when it cannot be kept", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const given = yield* run(root, (names) =>
        Effect.gen(function* () {
          // a folder in the file's place: the rename over it fails
          yield* Effect.promise(() => mkdir(join(root, "cameras.json", "inside"), { recursive: true }))
          const first = yield* plug(names, at(1))
          const second = yield* plug(names, at(2))
          yield* first.unplug
          return [second.name, (yield* plug(names, at(1))).name]
        })
      )
      assert.deepStrictEqual(given, ["camera1", "camera0"])
    })
  )
})

describe("twins, which have one serial number", () => {
  it.effect("keep their names across restarts, both of them or either alone, in any order", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      assert.deepStrictEqual(yield* runWith(root, [twin(1), twin(2)]), ["camera0", "camera1"])
      assert.deepStrictEqual(yield* runWith(root, [twin(2), twin(1)]), ["camera1", "camera0"])
      assert.deepStrictEqual(yield* runWith(root, [twin(2)]), ["camera1"])
      assert.deepStrictEqual(yield* runWith(root, [twin(1)]), ["camera0"])
    })
  )

  it.effect("keep their names when the second came later, and when the first is plugged in again", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* run(root, (names) =>
        Effect.gen(function* () {
          const first = yield* plug(names, twin(1))
          const second = yield* plug(names, twin(2))
          yield* first.unplug
          const again = yield* plug(names, twin(1))
          assert.deepStrictEqual([first.name, second.name, again.name], ["camera0", "camera1", "camera0"])
        })
      )
      assert.deepStrictEqual(yield* runWith(root, [twin(2)]), ["camera1"])
      assert.deepStrictEqual(yield* runWith(root, [twin(2), twin(1)]), ["camera1", "camera0"])
    })
  )

  it.effect("keep their names when one comes for the first time while the service is down", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* runWith(root, [twin(1)])
      assert.deepStrictEqual(yield* runWith(root, [twin(2), twin(1)]), ["camera1", "camera0"])
    })
  )

  it.effect("keep their names when one moves and the other stays", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* run(root, (names) =>
        Effect.gen(function* () {
          const first = yield* plug(names, twin(1))
          const second = yield* plug(names, twin(2))
          yield* first.unplug
          assert.strictEqual((yield* plug(names, twin(3))).name, "camera0")
          yield* second.unplug
          assert.strictEqual((yield* plug(names, twin(4))).name, "camera1")
        })
      )
      assert.deepStrictEqual(yield* runWith(root, [twin(5), twin(4)]), ["camera0", "camera1"])
    })
  )

  it.effect("have new names when both moved, and keep those", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* runWith(root, [twin(1), twin(2)])
      assert.deepStrictEqual(yield* runWith(root, [twin(3), twin(4)]), ["camera2", "camera3"])
      assert.deepStrictEqual(yield* runWith(root, [twin(4), twin(3)]), ["camera3", "camera2"])
      assert.deepStrictEqual(yield* runWith(root, [twin(2), twin(1)]), ["camera1", "camera0"])
    })
  )

  it.effect("are explained in the log once", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
        lines.push(`${logLevel} ${String(message)}`)
      })
      yield* run(root, (names) => start(names, [twin(1), own("A", 2), at(3)])).pipe(
        Effect.provide(Logger.layer([logger]))
      )
      assert.deepStrictEqual(lines, [])
      yield* run(root, (names) =>
        Effect.gen(function* () {
          yield* start(names, [twin(1)])
          for (const port of [4, 4, 5]) yield* (yield* plug(names, twin(port))).unplug
        })
      ).pipe(Effect.provide(Logger.layer([logger])))
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0] ?? "", /^Warn .*where they are plugged in/)
    })
  )
})
