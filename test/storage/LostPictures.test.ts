import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import { Databases } from "../../src/ground/Databases.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { jpeg, memoryGround, storage } from "./Workbench.ts"

const root = "/data"
const names = ["camera0_2026-01-02_03-04-05.jpg", "camera0_2026-01-02_03-04-06.jpg", "camera0_2026-01-02_03-04-07.jpg"]
const pathOf = (name: string) => join(root, "snapshots", name)

/** A picture that is longer than what is read of its beginning, and one that is not. */
const long = Uint8Array.from([...jpeg.subarray(0, -2), ...new Uint8Array(100_000).fill(7), ...jpeg.subarray(-2)])

const run = <A, E>(body: Effect.Effect<A, E, FileIndex | Files>) =>
  Effect.scoped(Effect.flatMap(Layer.build(storage(root)), (context) => Effect.provideContext(body, context)))

const save = Effect.forEach(names, (filename, i) =>
  Effect.flatMap(Files, ({ saveSnapshot }) =>
    saveSnapshot({ filename, device: "camera0", bytes: i === 1 ? long : jpeg, width: 1, height: 1, capturedAt: 0 })
  )
)

const listed = Effect.gen(function* () {
  const index = yield* FileIndex
  yield* index.reconcile
  const { files } = yield* index.list("snapshot", { limit: 10, offset: 0, devices: undefined })
  return files.map(({ filename }) => filename).toSorted()
})

/** The same length, and zeros from this byte on, as a power cut leaves what was not written yet; its time is the same, too. */
const lose = Effect.fnUntraced(function* (name: string, from: number) {
  const { outside } = yield* MemoryDisk
  const bytes = outside.read(pathOf(name))
  outside.write(pathOf(name), bytes.fill(0, from), 0)
})

/** The index was not closed, and the kernel has started again. */
const cutPower = Effect.map(Databases, ({ open }) => {
  const database = open(join(root, "index.sqlite"))
  database.exec("UPDATE meta SET value = 'another boot' WHERE name = 'state'")
  database.close()
})

describe("a picture that a power cut has made zeros of", () => {
  for (const [which, from] of [
    ["names", 0],
    ["long ones of which the end is missing", 80_000]
  ] as const) {
    it.effect(`is not listed any more, by an index that knew it: ${which}`, () =>
      Effect.gen(function* () {
        const [first = "", second = "", third = ""] = names
        yield* run(Effect.andThen(save, listed))
        yield* lose(second, from)
        yield* cutPower
        assert.deepEqual(yield* run(listed), [first, third])
      }).pipe(Effect.provide(memoryGround))
    )
  }
})
