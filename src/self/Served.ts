import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"

/**
 * Opened once clients are served, and those that waited for it have had their head start. What takes a processor for a while
 * and is of no use before (MediaMTX's own start, a look at FFmpeg, a walk through all files) waits for it, so that the first
 * clients do not. It is open where a room stands alone.
 */
export const Served = Context.Reference<Latch.Latch>("camera-service/self/Served", {
  defaultValue: () => Latch.makeUnsafe(true)
})

export const layer = Layer.effect(Served, Latch.make(false))

/** Who waits for a service tries again and again: so long the first call of one takes, once it is there. */
export const HeadStart = Context.Reference<Duration.Input | undefined>("camera-service/self/HeadStart", {
  defaultValue: () => undefined
})
