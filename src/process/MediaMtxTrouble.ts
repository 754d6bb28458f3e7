import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { MediaMtx } from "./MediaMtx.ts"
import type { MediaMtxApi } from "./MediaMtxApi.ts"
import type { MediaMtxState } from "./MediaMtxStates.ts"

/** It starts within 0.1 s, and answers within milliseconds. */
const patience = Duration.millis(700)
/** Until it has run once the service and all cameras start as well, on a machine that may itself just have started. */
const firstPatience = Duration.seconds(5)

export const noAnswer = "MediaMTX does not answer"

/** What is wrong with it, in a few words; undefined while it runs and answers. */
export const troubleOf = ({ _tag, silence }: MediaMtxState): string | undefined => {
  if (_tag === "Running") return silence === undefined ? undefined : noAnswer
  return `MediaMTX is ${_tag.toLowerCase()}`
}

/** One that has too much to do may answer yet. */
export const isUseless = ({ _tag, silence }: MediaMtxState): boolean => _tag !== "Running" || silence === "idle"

/** Waits until it runs. */
export const awaitRunning = ({ state }: MediaMtx["Service"]): Effect.Effect<void> =>
  SubscriptionRef.changes(state).pipe(
    Stream.filter(({ _tag }) => _tag === "Running"),
    Stream.runHead,
    Effect.asVoid
  )

/**
 * Waits until MediaMTX is of no use, and says why: for 0.7 s it has not run, or not answered though it does nothing else; one
 * that has not run yet has 5 s. It is asked once, now: it may have stopped to answer since it was last asked.
 */
export const awaitTrouble = (
  { state, works }: MediaMtx["Service"],
  api: MediaMtxApi["Service"]
): Effect.Effect<string> => {
  const untilIs = (useless: boolean) =>
    SubscriptionRef.changes(state).pipe(
      Stream.filter((now) => isUseless(now) === useless),
      Stream.runHead
    )
  const told = Effect.gen(function* () {
    for (;;) {
      yield* untilIs(true)
      const { generation } = yield* SubscriptionRef.get(state)
      yield* Effect.timeoutOption(untilIs(false), generation === 0 ? firstPatience : patience)
      const now = yield* SubscriptionRef.get(state)
      if (isUseless(now)) return troubleOf(now) ?? noAnswer
    }
  })
  const asked = Effect.gen(function* () {
    // one that is gone is told of
    const answer = yield* Effect.result(Effect.timeoutOption(api.info, patience))
    const isSilent = Result.isSuccess(answer) && Option.isNone(answer.success)
    return isSilent && !(yield* works) ? noAnswer : yield* Effect.never
  })
  return Effect.raceFirst(told, asked)
}
