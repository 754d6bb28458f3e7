import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Devices } from "../../src/device/Devices.ts"
import { Streams } from "../../src/stream/Streams.ts"
import type { RtspFaults } from "../../testing/RtspFaults.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { until } from "../support/Ground.ts"
import { attachCamera, target } from "../support/NetworkCamera.ts"

export const startCamera = Effect.flatMap(TestGround, ({ rtspCameras }) => rtspCameras.start(target.address))

/** How long a camera with this fault keeps who waits for it, and what they are told. */
export const failureWith = Effect.fnUntraced(function* (faults: Partial<RtspFaults>, at = target) {
  const streams = yield* Streams
  const devices = yield* Devices
  const camera = yield* startCamera
  yield* camera.disturb(faults)
  const { id } = yield* attachCamera(at)
  const stream = yield* streams.lease(id, "viewer")
  const began = yield* Clock.currentTimeMillis
  const waiting = yield* Effect.forkChild(Effect.flip(streams.awaitReady(stream)))
  const fault = yield* until(
    "the fault is told",
    Effect.map(Effect.orDie(devices.get(id)), (device) => device.fault)
  )
  const millis = (yield* Clock.currentTimeMillis) - began
  const told = yield* Fiber.join(waiting)
  return { camera, id, stream, kind: fault.kind, detail: fault.detail, millis, told }
})
