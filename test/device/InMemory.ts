import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CameraNames, makeNames } from "../../src/device/CameraNames.ts"
import type { Found } from "../../src/device/Device.ts"
import { Devices } from "../../src/device/Devices.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"

/** Names as the real ones are given, which nothing keeps. */
const namesInMemory = Layer.sync(CameraNames, () => makeNames(new Map(), Effect.void))

export const devicesInMemory = Devices.layer.pipe(Layer.provideMerge(namesInMemory))

export const found = (position: string, more: Partial<Found> = {}): Found => ({
  input: v4l2Input("/dev/video0"),
  identity: { position },
  name: `the camera ${position}`,
  formats: [],
  ...more
})
