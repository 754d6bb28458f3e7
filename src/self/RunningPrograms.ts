import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The programs that one service has started and that have not ended: what was started, by process ids. */
export const RunningPrograms = Context.Reference<Map<number, string>>("camera-service/self/RunningPrograms", {
  defaultValue: () => new Map()
})

/** Those of one service: another one in the same process has its own. */
export const layer = Layer.effectContext(Effect.sync(() => Context.make(RunningPrograms, new Map<number, string>())))
