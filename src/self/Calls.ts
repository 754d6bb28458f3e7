import * as Context from "effect/Context"

/** How many calls of clients have come since the start: what would make them wait looks here first. */
export const Calls = Context.Reference<{ count: number }>("camera-service/self/Calls", {
  defaultValue: () => ({ count: 0 })
})
