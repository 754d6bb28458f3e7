import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../src/config/Settings.ts"
import { OnvifClient } from "../../src/external/onvif/OnvifClient.ts"
import { Reach } from "../../src/external/Reach.ts"
import { StreamTargets } from "../../src/external/StreamTargets.ts"
import { parseStreamUrl } from "../../src/external/StreamUrl.ts"
import { MemoryResolver } from "../../testing/MemoryResolver.ts"
import { testSettings } from "../support/TestSettings.ts"

const fingerprint = "ab".repeat(32)

/** a camera that says that its stream is there */
const layer = (uri: string) =>
  StreamTargets.layer.pipe(
    Layer.provide(Layer.mock(OnvifClient, { uriOf: () => Effect.succeed({ uri, hasPtz: false }) })),
    Layer.provide(Reach.layer),
    Layer.provide([MemoryResolver.layer, Layer.succeed(Settings, testSettings())])
  )

const device = Effect.fromResult(parseStreamUrl("http://admin:word@192.168.1.64/onvif/device_service"))

describe("the stream of an ONVIF camera that is known by its certificate", () => {
  it.effect("is gone to with that", () =>
    Effect.gen(function* () {
      const { recent, target } = yield* StreamTargets
      for (const targetOf of [target, recent]) {
        assert.deepInclude(yield* targetOf(yield* device, { fingerprint }), { isSecure: true, port: 322, fingerprint })
      }
    }).pipe(Effect.provide(layer("rtsps://192.168.1.64/live")))
  )

  it.effect("is not gone to in clear, whatever is told in the camera's name", () =>
    Effect.gen(function* () {
      const { recent, target } = yield* StreamTargets
      for (const targetOf of [target, recent]) {
        assert.deepInclude(yield* Effect.flip(targetOf(yield* device, { fingerprint })), {
          _tag: "RtspFailed",
          kind: "CERTIFICATE_CHANGED"
        })
        assert.deepInclude(yield* targetOf(yield* device, {}), { isSecure: false, port: 554 })
      }
    }).pipe(Effect.provide(layer("rtsp://192.168.1.64/live")))
  )
})
