import * as Context from "effect/Context"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"

/**
 * Opened once clients are served. What takes a processor for a while and is of no use before (MediaMTX's own start, a walk
 * through all files) waits for it, so that the first clients do not. It is open where a room stands alone.
 */
export const Served = Context.Reference<Latch.Latch>("camera-service/self/Served", {
  defaultValue: () => Latch.makeUnsafe(true)
})

export const layer = Layer.effect(Served, Latch.make(false))
