import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CameraNames } from "../../src/device/CameraNames.ts"
import type { Found } from "../../src/device/Device.ts"
import { Devices } from "../../src/device/Devices.ts"

/** Names as the real ones are given, which nothing keeps. */
const namesInMemory = Layer.sync(CameraNames, () => {
  const given = new Map<string, `camera${number}`>()
  return CameraNames.of({
    nameFor: (identity) =>
      Effect.sync(() => {
        const name = given.get(identity) ?? (`camera${given.size}` as const)
        given.set(identity, name)
        return name
      })
  })
})

export const devicesInMemory = Devices.layer.pipe(Layer.provide(namesInMemory))

export const found = (identity: string, more: Partial<Found> = {}): Found => ({
  kind: "v4l2",
  identity,
  name: `the camera ${identity}`,
  node: "/dev/video0",
  formats: [],
  ...more
})
