import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { StreamRpcs } from "../../schema/CameraRpcs.ts"
import { liveNow, Settings } from "../../src/config/Settings.ts"
import type { Device } from "../../src/device/Device.ts"
import { Devices } from "../../src/device/Devices.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import * as StreamHandlers from "../../src/rpc/StreamHandlers.ts"
import { encodingOf } from "../../src/source/Encoder.ts"
import { planSource } from "../../src/source/Source.ts"
import type { StreamState } from "../../src/stream/LiveStream.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { makePictures } from "../../src/stream/Pictures.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { found } from "../device/InMemory.ts"
import { testSettings } from "../support/TestSettings.ts"
import { connectAs, layer } from "./Harness.ts"

const settings = testSettings()
const sizes = [{ width: 640, height: 480, rates: [30] }]

/** What clients see of a stream in this state, of a camera that delivers this, where MediaMTX has it or not. */
const status = (state: StreamState, pixelFormat: string, ready: boolean) =>
  Effect.gen(function* () {
    const device: Device = {
      ...found("usb:1", { formats: [{ pixelFormat, sizes }] }),
      id: "camera0",
      status: "CONNECTED"
    }
    const source = planSource(device, encodingOf(settings.boot, liveNow(settings)))
    assert.isDefined(source)
    const stream = {
      camera: device.id,
      startedAt: 0,
      state: yield* SubscriptionRef.make(state),
      pictures: makePictures(),
      now: { source, restarts: 0, failures: 0 }
    }
    const path = {
      name: device.id,
      ready,
      readySince: Option.none(),
      source: "",
      readers: 0,
      bytesReceived: 0,
      bytesSent: 0,
      tracks: []
    }
    const handlers = Layer.unwrap(
      Effect.gen(function* () {
        return layer({ get_stream_status: yield* StreamRpcs.accessHandler("get_stream_status") })
      })
    ).pipe(
      Layer.provide(StreamHandlers.layer),
      Layer.provide([
        Layer.mock(Devices)({ get: () => Effect.succeed(device), list: () => [device], settled: () => true }),
        Layer.mock(Streams)({
          current: () => stream,
          all: () => [stream],
          lastStart: () => 0,
          withDevice: () => (effect) => effect
        }),
        Layer.mock(Paths)({ exists: () => true }),
        Layer.mock(MediaMtxApi)({ getPath: () => Effect.succeedSome(path) }),
        Layer.succeed(Settings, settings)
      ])
    )
    const request = { jsonrpc: "2.0", id: 1, method: "get_stream_status", params: { device: device.id } }
    const reply = yield* Effect.flatMap(connectAs("viewer"), (client) => client.call(request)).pipe(
      Effect.provide(handlers)
    )
    const { result } = reply as { readonly result: { readonly status: string; readonly reason?: string } }
    return result.reason === undefined ? result.status : `${result.status}: ${result.reason}`
  })

const starting: StreamState = { _tag: "Starting" }
const failing: StreamState = { _tag: "Failing", reason: "ffmpeg ended with status 1" }

describe("a stream", () => {
  it.live.each<[title: string, state: StreamState, pixelFormat: string, ready: boolean, expected: string]>([
    ["is STARTING until MediaMTX has it", starting, "MJPG", false, "STARTING"],
    ["is ACTIVE as soon as a viewer can have it", starting, "MJPG", true, "ACTIVE"],
    ["is STARTING while the camera's own bit stream is yet to be read", starting, "H264", true, "STARTING"],
    ["is an ERROR until it runs again", failing, "MJPG", false, "ERROR: ffmpeg ended with status 1"]
  ])("%s", ([, state, pixelFormat, ready, expected]) =>
    Effect.map(status(state, pixelFormat, ready), (shown) => assert.strictEqual(shown, expected))
  )
})
