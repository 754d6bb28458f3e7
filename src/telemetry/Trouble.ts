import * as Effect from "effect/Effect"

/** Something that is tried again and again: its failing is said once, until it works again. */
export interface Trouble {
  /** warns of it, where it worked before */
  readonly began: (message: string, ...about: ReadonlyArray<unknown>) => Effect.Effect<void>
  /** it works: that is said, where it failed before and there is something to say */
  readonly isOver: (message?: string) => Effect.Effect<void>
}

export const makeTrouble = (): Trouble => {
  let isKnown = false
  /** Whether it was another way before. */
  const becomes = (now: boolean): boolean => {
    const wasKnown = isKnown
    isKnown = now
    return wasKnown !== now
  }
  return {
    began: (message, ...about) =>
      Effect.suspend(() => (becomes(true) ? Effect.logWarning(message, ...about) : Effect.void)),
    isOver: (message) =>
      Effect.suspend(() => (becomes(false) && message !== undefined ? Effect.logInfo(message) : Effect.void))
  }
}
