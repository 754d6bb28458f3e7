import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Settings } from "../../src/config/Settings.ts"
import type { FakeApp } from "../support/App.ts"

/** Keys that change while the service runs: a value, and what then is otherwise. Its turn comes when the app runs. */
export type Rows = Readonly<
  Record<
    string,
    (
      change: (value: unknown) => Effect.Effect<void, unknown, Settings>
    ) => Effect.Effect<void, unknown, FakeApp | Scope.Scope>
  >
>
