import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { vi } from "vitest"
import { Files } from "../../src/storage/Files.ts"
import { fileName } from "../../src/storage/Names.ts"
import { jpeg, storageAt, temporaryFolder } from "./Workbench.ts"

// FAT on a memory card: link(2) answers so
vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  link: () => Promise.reject(Object.assign(new Error("EPERM: operation not permitted, link"), { code: "EPERM" }))
}))

describe("on a file system without hard links", () => {
  it.effect("a snapshot is kept whole, and replaces none", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const filename = fileName("camera0", 0, "jpg")
      const picture = { device: "camera0", filename, bytes: jpeg, width: 1, height: 1, capturedAt: 0 }
      yield* Effect.gen(function* () {
        const files = yield* Files
        yield* files.saveSnapshot(picture)
        const error = yield* Effect.flip(files.saveSnapshot({ ...picture, bytes: new Uint8Array(3) }))
        assert.deepInclude(error, { _tag: "InvalidParams", rule: "a new name" })
      }).pipe(Effect.provide(storageAt(root)))
      const snapshots = join(root, "snapshots")
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(snapshots)), [filename])
      const kept = yield* Effect.promise(() => readFile(join(snapshots, filename)))
      assert.deepStrictEqual(new Uint8Array(kept), jpeg)
    })
  )
})
