import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as App from "../../src/App.ts"
import { Settings } from "../../src/config/Settings.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { testSettings } from "../support/TestSettings.ts"
import { frozenCamera } from "../support/Story.ts"

const settings = Layer.sync(Settings, () => testSettings({ data_dir: "/data" }))

describe("the test ground", () => {
  it.effect("carries the whole service through the story of a camera that freezes while it is recorded", () =>
    Effect.gen(function* () {
      const told = yield* frozenCamera
      assert.deepInclude(told.fault, { device: "camera0", status: "ERROR" })
      assert.deepEqual(told.statuses, ["STARTING", "RECORDING", "ERROR", "STOPPED"])
      assert.deepInclude(told.stopped, { device: "camera0", status: "STOPPED" })
    }).pipe(Effect.provide(App.layer.pipe(Layer.provide(settings), Layer.provideMerge(TestGround.layer))))
  )
})
