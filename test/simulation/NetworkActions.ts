import * as Effect from "effect/Effect"
import type { RtspFaults } from "../../testing/RtspFaults.ts"
import type { Action } from "./Actions.ts"
import { call } from "./ClientActions.ts"
import { networkUrl, oneOf } from "./World.ts"

const faults: ReadonlyArray<readonly [suffered: Partial<RtspFaults>, over: Partial<RtspFaults>]> = [
  [{ isSilent: true }, { isSilent: false }],
  [{ neverPlays: true }, { neverPlays: false }],
  [{ isStalled: true }, { isStalled: false }],
  [{ diesInMidFrame: true }, { diesInMidFrame: false }],
  [{ refuses: { DESCRIBE: "404 Not Found" } }, { refuses: {} }],
  [{ refuses: { SETUP: "453 Not Enough Bandwidth" } }, { refuses: {} }]
]

/** A camera of the network, which is there all the time and is added, forgotten and out of order. */
export const networkActions: Readonly<Record<string, Action>> = {
  "a stream is added": {
    weight: 5,
    run: (world, chance) =>
      call(world, chance, "add_external_stream", { stream_url: networkUrl, stream_name: "the gate" })
  },

  "a stream is removed": {
    weight: 2,
    run: (world, chance) => call(world, chance, "remove_external_stream", { stream_url: networkUrl })
  },

  "a camera of the network suffers": {
    weight: 3,
    run: (world, chance) => {
      const [suffered, over] = oneOf(faults, chance) ?? [{}, {}]
      const { disturb } = world.networkCamera
      return Effect.andThen(disturb(suffered), world.suffer(`network ${Object.keys(suffered).join()}`, disturb(over)))
    }
  }
}
