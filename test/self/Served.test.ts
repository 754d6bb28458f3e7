import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Health } from "../../src/health/Health.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { dataFolder, onTestGround, runFake } from "../support/App.ts"

describe("the start", () => {
  it.effect("waits for no sync of a disk whose folders and secrets are there", () =>
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* runFake(dataFolder, Effect.void)
      // both are written again
      disk.outside.remove(`${dataFolder}/format`)
      const hung = yield* disk.suffer({ name: "hung", calls: ["sync"] })
      const cameras = { synthetic: 2 }
      yield* runFake(
        dataFolder,
        Effect.gen(function* () {
          const { now } = yield* Health
          assert.deepInclude(now().components, { websocket_server: "RUNNING", mediamtx: "RUNNING" })
          yield* hung.met
          yield* hung.takeBack
        }),
        { cameras }
      )
      assert.include(disk.outside.names(dataFolder), "format")
      assert.include(disk.outside.names(dataFolder), "cameras.json")
    }).pipe(Effect.scoped, onTestGround)
  )
})
