import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CameraNames, makeNames } from "../../src/device/CameraNames.ts"
import type { Found } from "../../src/device/Device.ts"
import { Devices } from "../../src/device/Devices.ts"

/** Names as the real ones are given, which nothing keeps. */
const namesInMemory = Layer.sync(CameraNames, () => makeNames(new Map(), Effect.void))

export const devicesInMemory = Devices.layer.pipe(Layer.provideMerge(namesInMemory))

export const found = (position: string, more: Partial<Found> = {}): Found => ({
  kind: "v4l2",
  identity: { position },
  name: `the camera ${position}`,
  node: "/dev/video0",
  formats: [],
  ...more
})
