import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Disk } from "../../src/ground/Disk.ts"
import { DiskError } from "../../src/ground/DiskError.ts"
import { copyName, FileIndex } from "../../src/storage/FileIndex.ts"
import { listening } from "../support/Log.ts"
import { indexed, realGround, storage, temporaryFolder } from "./Workbench.ts"

const noRoom = new DiskError({ code: "ENOSPC", cause: new Error("no room") })
const refused = Effect.fail(noRoom)

/** The index in a new folder on the real disk, but for these calls, copied. */
const copied = Effect.fnUntraced(function* (calls: Partial<Disk["Service"]>) {
  const { layer, lines } = listening()
  const folder = yield* temporaryFolder
  const disk = Layer.effect(
    Disk,
    Effect.map(Disk, (real) => ({ ...real, ...calls }))
  )
  const ground = Layer.provideMerge(disk, realGround)
  const result = yield* Effect.gen(function* () {
    const index = yield* FileIndex
    yield* index.put(indexed({ filename: "a.mp4" }))
    return yield* Effect.result(index.copy)
  }).pipe(Effect.provide(Layer.mergeAll(storage(folder).pipe(Layer.provide(ground)), layer)))
  const names = (yield* Effect.promise(() => readdir(folder))).filter((name) => name.startsWith(copyName))
  return { folder, names, result, lines }
})

describe("a copy of the index", () => {
  it.effect("is made on the disk where there is no room in memory, and says so", () =>
    Effect.gen(function* () {
      const { folder, lines, names } = yield* copied({ temporaryFolder: () => refused })
      assert.deepStrictEqual(names, [copyName])
      const database = new DatabaseSync(join(folder, copyName))
      assert.strictEqual(database.prepare("SELECT filename FROM files").get()?.["filename"], "a.mp4")
      database.close()
      const said = lines.filter(({ message }) => message.includes("the index is copied on the disk"))
      assert.lengthOf(said, 1)
    })
  )

  it.effect("that the disk has no room for fails, and leaves nothing of it", () =>
    Effect.gen(function* () {
      const { names, result } = yield* copied({
        copy: (_from, to) =>
          Effect.andThen(
            Effect.promise(() => writeFile(to, "a part of it")),
            refused
          )
      })
      assert.deepInclude(result, { _tag: "Failure" })
      assert.deepStrictEqual(names, [])
    })
  )
})
