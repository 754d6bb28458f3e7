import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CameraSpec } from "../camera/CameraSpec.ts"
import type { Lab } from "./Lab.ts"

export type Play<Name extends string> = (lab: Lab<Name>) => Effect.Effect<void, unknown, Scope.Scope>

/** What happens to some cameras, and what a client of the service sees of it. */
export interface Scenario<Name extends string = string> {
  /** a sentence about the service */
  readonly title: string
  /** by the names that the play calls them; none is plugged in at first */
  readonly cameras: Readonly<Record<Name, CameraSpec>>
  /** settings of a service of its own, as the environment has them: without, all scenarios share one service */
  readonly settings?: Readonly<Record<string, string>>
  /** who that service runs as: root, unless it says otherwise */
  readonly user?: string
  /** makes the folder that has that service's data: one in memory, unless it says otherwise */
  readonly data?: Effect.Effect<string, never, Scope.Scope>
  readonly play: Play<Name>
  /** goes on, on the same data folder, after the machine was switched off and on without a word to the service */
  readonly afterReboot?: Play<Name>
}

/** Written down so that the play knows its cameras' names. */
export const scenario = <const Name extends string>(described: Scenario<Name>): Scenario<Name> => described
