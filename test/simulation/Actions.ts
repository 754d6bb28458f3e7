import type * as Effect from "effect/Effect"
import { cameraActions } from "./CameraActions.ts"
import { clientActions } from "./ClientActions.ts"
import { machineActions } from "./MachineActions.ts"
import { networkActions } from "./NetworkActions.ts"
import { viewerActions } from "./ViewerActions.ts"
import type { World } from "./World.ts"

/** What may happen in a day. `chance` is its own: an action does the same whatever was left out before it. */
export interface Action {
  /** how likely it is beside the others */
  readonly weight: number
  readonly run: (world: World, chance: () => number) => Effect.Effect<void>
}

export const actions: Readonly<Record<string, Action>> = {
  ...cameraActions,
  ...clientActions,
  ...viewerActions,
  ...networkActions,
  ...machineActions
}
