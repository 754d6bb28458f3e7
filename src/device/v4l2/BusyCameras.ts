import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import type { CameraId } from "../../../schema/Camera.ts"
import type { Device } from "../Device.ts"
import { Devices } from "../Devices.ts"
import { V4l2Nodes } from "./V4l2Nodes.ts"

/** No event tells that a program let go of a camera. */
const lookEvery = Duration.seconds(2)

/** Looks at each camera that another program has until it is free, and then says that it recovered; at no other ever. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const devices = yield* Devices
    const nodes = yield* V4l2Nodes
    const looking = yield* FiberMap.make<CameraId>()

    const untilFree = (id: CameraId, node: string) =>
      Effect.delay(nodes.isFree(node), lookEvery).pipe(
        Effect.repeat({ until: (isFree) => isFree }),
        Effect.andThen(devices.recovered(id))
      )

    const follow = ({ fault, id, input: { node } }: Device) =>
      fault?.kind === "BUSY" && node !== undefined
        ? FiberMap.run(looking, id, untilFree(id, node), { onlyIfMissing: true })
        : FiberMap.remove(looking, id)

    yield* devices.follow(follow)
  })
)
