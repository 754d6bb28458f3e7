import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../src/config/Settings.ts"
import { Devices } from "../../src/device/Devices.ts"
import * as SyntheticCameras from "../../src/device/SyntheticCameras.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { testSettings } from "../support/TestSettings.ts"
import { devicesInMemory } from "./InMemory.ts"

const withSynthetic = (number: number) =>
  SyntheticCameras.layer.pipe(
    Layer.provideMerge(devicesInMemory),
    Layer.provide([MemoryDisk.layer, Layer.succeed(Settings, testSettings({ cameras: { synthetic: number } }))])
  )

describe("synthetic cameras", () => {
  it.effect("are as many as the configuration says, connected, each with a name and an identity of its own", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      assert.isTrue(devices.settled())
      assert.deepStrictEqual(
        devices
          .list()
          .map(({ id, identity, input, name, status }) => [id, identity.position, input.name, name, status]),
        [
          ["camera0", "synthetic:0", "synthetic", "Synthetic camera 0", "CONNECTED"],
          ["camera1", "synthetic:1", "synthetic", "Synthetic camera 1", "CONNECTED"]
        ]
      )
    }).pipe(Effect.provide(withSynthetic(2)))
  )

  it.effect("are none unless asked for, and the first look is done all the same", () =>
    Effect.gen(function* () {
      const devices = yield* Devices
      yield* devices.awaitSettled
      assert.deepStrictEqual(devices.list(), [])
    }).pipe(Effect.provide(withSynthetic(0)))
  )
})
