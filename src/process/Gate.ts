import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Who waits for its turn with whom: many may need a stream, one person a snapshot that all other tiers failed at. */
export type Urgency = "stream" | "snapshot"

const order: Readonly<Record<Urgency, number>> = { stream: 0, snapshot: 1 }

/** What is told who waits: 1 is the next. */
export const placeText = (place: number): string =>
  `as many FFmpeg processes run as limits.ffmpeg_processes allows: it is number ${place} in the queue`

interface Waiting {
  readonly urgency: Urgency
  readonly come: () => void
  readonly move: (place: number) => void
}

export interface Gate {
  /**
   * Waits for its turn, and is in until the scope closes. `queued` is told its place each time that it is another, 1 for the
   * next, and 0 when the wait is over.
   */
  readonly enter: (
    urgency: Urgency,
    queued: (place: number) => Effect.Effect<void>
  ) => Effect.Effect<void, never, Scope.Scope>
  /** lets in whom a limit that was raised has room for */
  readonly limitChanged: Effect.Effect<void>
}

/** Lets so many in at once; the limit is asked for at each turn. Who waits comes in by urgency, then by arrival. */
export const makeGate = (limit: () => number): Gate => {
  const queue: Array<Waiting> = []
  let inside = 0

  /** those from here on have another place than before */
  const moved = (from: number): void => {
    for (const [index, waiting] of queue.entries()) if (index >= from) waiting.move(index + 1)
  }

  const next = (): void => {
    const before = queue.length
    while (inside < limit()) {
      const first = queue.shift()
      if (first === undefined) break
      inside++
      first.come()
    }
    if (queue.length < before) moved(0)
  }

  const wait = (urgency: Urgency, queued: (place: number) => Effect.Effect<void>) =>
    Effect.flatMap(Effect.context<never>(), (context) => {
      const run = Effect.runForkWith(context)
      return Effect.callback<void>((resume) => {
        if (queue.length === 0 && inside < limit()) {
          inside++
          return resume(Effect.void)
        }
        const mine: Waiting = {
          urgency,
          come: () => resume(queued(0)),
          move: (place) => void run(queued(place))
        }
        const after = queue.findIndex((other) => order[other.urgency] > order[urgency])
        const at = after === -1 ? queue.length : after
        queue.splice(at, 0, mine)
        moved(at)
        return Effect.sync(() => {
          const index = queue.indexOf(mine)
          if (index === -1) return
          queue.splice(index, 1)
          moved(index)
        })
      })
    })

  const leave = Effect.sync(() => {
    inside--
    next()
  })

  return {
    enter: (urgency, queued) => Effect.acquireRelease(wait(urgency, queued), () => leave, { interruptible: true }),
    limitChanged: Effect.sync(next)
  }
}
