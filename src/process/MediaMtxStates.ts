import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Silence } from "./MediaMtxWatch.ts"

export interface MediaMtxState {
  readonly _tag: "Starting" | "Running" | "Stopped"
  /** How often it has come up: one more each time, when all its paths have to be made again. */
  readonly generation: number
  /** Why it is not running. */
  readonly detail?: string
  /** It runs, and has not answered for a second or more. */
  readonly silence?: Silence
}

/** The state of MediaMTX, and what brings it from one to the next. `startDetail`: what is told of a start. */
export const makeStates = Effect.fnUntraced(function* (startDetail: string | undefined) {
  /** What is told of its end stays, where nothing is told of a start. */
  const startAfter = (last: MediaMtxState): MediaMtxState => ({
    ...last,
    _tag: "Starting",
    ...(startDetail === undefined ? {} : { detail: startDetail })
  })
  const state = yield* SubscriptionRef.make(startAfter({ _tag: "Starting", generation: 0 }))
  /** Why it did not come to run when it was last started or looked at: it stays stopped until it does, or a start goes on. */
  let hindrance: string | undefined

  /** One that has run can run here: what hinders it now may pass, and what does without it goes on meanwhile. */
  const hasRun = Effect.map(SubscriptionRef.get(state), ({ generation }) => generation > 0)

  const stopped = (detail: string) =>
    SubscriptionRef.update(state, ({ _tag, generation }): MediaMtxState => {
      hindrance = _tag === "Running" ? undefined : detail
      return { _tag: "Stopped", generation, detail }
    })

  return {
    state,
    hasRun,
    starting: Effect.suspend(() => (hindrance === undefined ? SubscriptionRef.update(state, startAfter) : Effect.void)),
    /** A start has not ended at once, as those before it did. */
    goesOn: Effect.suspend(() =>
      SubscriptionRef.getUnsafe(state)._tag === "Stopped" ? SubscriptionRef.update(state, startAfter) : Effect.void
    ),
    running: SubscriptionRef.update(state, ({ generation }): MediaMtxState => {
      hindrance = undefined
      return { _tag: "Running", generation: generation + 1 }
    }),
    stopped,
    /** It cannot be used: one that has run is stopped, which is said once for each reason. */
    hindered: Effect.fnUntraced(function* (reason: string) {
      if (reason === hindrance || !(yield* hasRun)) return
      yield* stopped(reason)
      hindrance = reason
      yield* Effect.logWarning("MediaMTX cannot be used any more").pipe(Effect.annotateLogs({ detail: reason }))
    }),
    /** It does not answer, or does again. */
    silent: Effect.fnUntraced(function* (silence: Silence | undefined) {
      const { _tag, generation } = yield* SubscriptionRef.get(state)
      yield* SubscriptionRef.set(state, { _tag, generation, ...(silence === undefined ? {} : { silence }) })
      yield* silence === undefined
        ? Effect.logInfo("MediaMTX answers again")
        : Effect.annotateLogs(Effect.logWarning("MediaMTX does not answer"), { silence })
    })
  }
})
