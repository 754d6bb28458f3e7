import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { mkdir, readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import * as SmallFile from "../../src/storage/SmallFile.ts"
import { temporaryFolder } from "./Workbench.ts"

describe("a small file that must last", () => {
  it.effect("is read as it was written, for its owner only, with nothing left beside it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "keys.json")
      assert.isTrue(Option.isNone(yield* SmallFile.read(path)))
      yield* SmallFile.write(path, "one")
      yield* SmallFile.write(path, "two")
      assert.deepStrictEqual(yield* SmallFile.read(path), Option.some("two"))
      assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o777, 0o600)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(folder)), ["keys.json"])
    })
  )

  it.effect("is always one whole text when many write at once", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "policy.json")
      const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(1000))
      yield* Effect.forEach(texts, (text) => SmallFile.write(path, text, 0o640), { concurrency: "unbounded" })
      assert.include(texts, yield* Effect.promise(() => readFile(path, "utf8")))
    })
  )

  it.effect("that cannot be written fails as storage does, tells no path, and leaves nothing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.promise(() => mkdir(join(folder, "taken", "inside"), { recursive: true }))
      const error = yield* Effect.flip(SmallFile.write(join(folder, "taken"), "text"))
      assert.strictEqual(error._tag, "DependencyFailed")
      assert.strictEqual(error.dependency, "storage")
      assert.notInclude(error.detail, folder)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(folder)), ["taken"])
    })
  )
})
