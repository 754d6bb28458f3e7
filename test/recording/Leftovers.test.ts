import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { filesOnDisk, record, start } from "../suites/recordings.ts"
import { disturbWork, fakes, onFakes, plugIn } from "../support/App.ts"
import { children, Ground, until } from "../support/Ground.ts"

const contentTypes = Effect.gen(function* () {
  const files = yield* Files
  return yield* Effect.forEach(yield* filesOnDisk, (name) =>
    Effect.map(Effect.scoped(files.open("recording", name)), ({ contentType }) => contentType)
  )
})

describe("an mkv that the service's end left as it was written", () => {
  fakes.starts("is remuxed after the next start, and not again after the one that follows", (run, folder) =>
    Effect.gen(function* () {
      const left = Effect.gen(function* () {
        yield* disturbWork({ remux: "hangs" })
        yield* record(yield* start({ camera: yield* plugIn(), format: "mkv" }))
      })
      yield* run(folder, left)
      yield* run(
        folder,
        Effect.gen(function* () {
          yield* disturbWork({ remux: undefined })
          const [name = ""] = yield* filesOnDisk
          assert.deepEqual(yield* contentTypes, ["video/mp4"])
          yield* until(
            "it is remuxed",
            Effect.map(contentTypes, ([type]) => type === "video/x-matroska")
          )
          const index = yield* FileIndex
          yield* until(
            "it is listed with what is in it",
            Effect.map(index.get("recording", name), (file) => file !== undefined && file.duration > 0.5)
          )
          assert.deepEqual(yield* filesOnDisk, [name])
        })
      )
      yield* run(
        folder,
        Effect.gen(function* () {
          const before = (yield* children("remux")).length
          yield* record(yield* start({ camera: yield* plugIn() }), 200_000)
          assert.lengthOf(yield* children("remux"), before)
        })
      )
    })
  )

  onFakes(
    "stays what it is while it is still being written",
    Effect.gen(function* () {
      const { outside } = (yield* TestGround).disk
      const { recordings } = yield* DataFolder
      const { step } = yield* Ground
      const path = join(recordings, "camera0_2026-01-02_03-04-05.mkv")
      outside.write(path, new TextEncoder().encode("\0\0\0\u0010ftyp\0\0\0\0\0\0\0\0"))
      for (let i = 0; i < 800; i++) {
        outside.write(path, new Uint8Array(1000))
        yield* step
      }
      assert.lengthOf(yield* children("remux"), 0)
      assert.deepEqual(yield* contentTypes, ["video/mp4"])
    })
  )
})
