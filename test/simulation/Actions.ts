import type * as Effect from "effect/Effect"
import { cameraActions } from "./CameraActions.ts"
import { clientActions } from "./ClientActions.ts"
import { machineActions } from "./MachineActions.ts"
import { networkActions } from "./NetworkActions.ts"
import { viewerActions } from "./ViewerActions.ts"
import type { World } from "./World.ts"

/** What may happen. `chance` is its own: an action does the same whatever was left out before it. */
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

/** What somebody does with the service. */
export const uses: ReadonlySet<string> = new Set(Object.keys({ ...clientActions, ...viewerActions }))

const mends = new Set([
  "plug",
  "something is put right",
  "the service starts",
  "a stream is added",
  "a stream is removed"
])

/** What goes wrong. */
export const incidents: ReadonlySet<string> = new Set(
  Object.keys(actions).filter((name) => !uses.has(name) && !mends.has(name))
)
