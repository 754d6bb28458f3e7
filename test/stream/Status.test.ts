import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { liveNow } from "../../src/config/Settings.ts"
import type { ReadDevice } from "../../src/device/Device.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import type { MediaMtxState } from "../../src/process/MediaMtxStates.ts"
import { MediaMtxApi, MediaMtxUnavailable } from "../../src/process/MediaMtxApi.ts"
import { encodingOf } from "../../src/source/Encoder.ts"
import { planSource } from "../../src/source/Source.ts"
import type { LiveStream, StreamState } from "../../src/stream/LiveStream.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { makePictures } from "../../src/stream/Pictures.ts"
import { Status } from "../../src/stream/Status.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { found } from "../device/InMemory.ts"
import { testSettings } from "../support/TestSettings.ts"

const sizes = [{ width: 640, height: 480, rates: [30] }]
const settings = testSettings()
const began = { wall: 0, monotonic: 0 }

/** What is told of a stream in this state, of a camera that delivers this, where MediaMTX has it or not. */
const status = (
  state: StreamState,
  pixelFormat: string,
  answer: Effect.Effect<boolean, MediaMtxUnavailable>,
  mediaMtx: MediaMtxState["_tag"] = "Running"
) =>
  Effect.gen(function* () {
    const device: ReadDevice = {
      ...found("usb:1", { formats: [{ pixelFormat, sizes }] }),
      input: v4l2Input("/dev/video0"),
      id: "camera0",
      status: "CONNECTED"
    }
    const source = planSource(device, encodingOf(settings.boot, liveNow(settings)))
    assert.isDefined(source)
    const stream: LiveStream = {
      name: "camera0",
      camera: device.id,
      startedAt: began,
      state: yield* SubscriptionRef.make(state),
      become: () => Effect.void,
      pictures: makePictures(),
      joining: new Set(),
      run: {
        ...{ making: source, pid: 1, startedAt: began, published: { frames: 0, fps: 0 } },
        ...{ delay: undefined, pictureAt: undefined }
      },
      restarts: 0,
      failuresInARow: 0
    }
    const path = { name: device.id, readers: 0, bytesReceived: 0, bytesSent: 0 }
    const { reason, state: shown } = yield* Effect.flatMap(Status, ({ of }) => of(device.id)).pipe(
      Effect.provide(Status.layer),
      Effect.provide([
        Layer.mock(Streams)({
          current: () => stream,
          all: () => [stream],
          lastStart: () => 0,
          withDevice: () => (effect) => effect,
          facts: nothing
        }),
        Layer.mock(Paths)({ exists: () => true }),
        Layer.mock(MediaMtxApi)({
          getPath: () => Effect.map(answer, (ready) => Option.some({ ...path, ready }))
        }),
        Layer.succeed(MediaMtx, {
          state: yield* SubscriptionRef.make<MediaMtxState>({ _tag: mediaMtx, generation: 1 }),
          works: Effect.succeed(false),
          facts: nothing,
          fatal: Effect.never
        })
      ])
    )
    return reason === undefined ? shown : `${shown}: ${reason}`
  })

const nothing = { follow: () => Effect.void, followFirst: () => Effect.void, tellIn: () => Effect.void }
const starting: StreamState = { _tag: "Starting" }
const failing: StreamState = { _tag: "Failing", reason: "ffmpeg ended with status 1" }

describe("a stream", () => {
  it.effect.each<[title: string, state: StreamState, pixelFormat: string, ready: boolean, expected: string]>([
    ["is STARTING until MediaMTX has it", starting, "MJPG", false, "STARTING"],
    ["is ACTIVE as soon as a viewer can have it", starting, "MJPG", true, "ACTIVE"],
    ["is STARTING while the camera's own bit stream is yet to be read", starting, "H264", true, "STARTING"],
    ["is an ERROR until it runs again", failing, "MJPG", false, "ERROR: ffmpeg ended with status 1"]
  ])("%s", ([, state, pixelFormat, ready, expected]) =>
    Effect.map(status(state, pixelFormat, Effect.succeed(ready)), (shown) => assert.strictEqual(shown, expected))
  )

  const silence = Effect.fail(new MediaMtxUnavailable({ detail: "no answer within 5 s" }))

  it.effect("is not known while MediaMTX runs and does not answer: nobody is told zeros", () =>
    Effect.map(Effect.flip(status(starting, "MJPG", silence)), (error) =>
      assert.deepInclude(error, { _tag: "DependencyFailed", dependency: "mediamtx" })
    )
  )

  it.effect("has nothing at a MediaMTX that does not run", () =>
    Effect.map(status(failing, "MJPG", silence, "Stopped"), (shown) =>
      assert.strictEqual(shown, "ERROR: ffmpeg ended with status 1")
    )
  )
})
