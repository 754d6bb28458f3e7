import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { MediaMtx, MediaMtxState } from "./MediaMtx.ts"
import type { MediaMtxApi } from "./MediaMtxApi.ts"

/** It starts within 0.1 s, and answers within milliseconds. */
const patience = Duration.millis(700)

const silence = "MediaMTX does not answer"

/** What is wrong with it, in a few words; undefined while it runs and answers. */
export const troubleOf = ({ _tag, isSilent }: MediaMtxState): string | undefined => {
  if (_tag === "Running") return isSilent === true ? silence : undefined
  return `MediaMTX is ${_tag.toLowerCase()}`
}

/** Waits until it runs. */
export const awaitRunning = ({ state }: MediaMtx["Service"]): Effect.Effect<void> =>
  SubscriptionRef.changes(state).pipe(
    Stream.filter(({ _tag }) => _tag === "Running"),
    Stream.runHead,
    Effect.asVoid
  )

/** Waits until MediaMTX is of no use, and says why: it has not run, or not answered, for 0.7 s. It is asked once, now. */
export const awaitTrouble = ({ state }: MediaMtx["Service"], api: MediaMtxApi["Service"]): Effect.Effect<string> => {
  const untilIs = (isTroubled: boolean) =>
    SubscriptionRef.changes(state).pipe(
      Stream.filter((now) => (troubleOf(now) !== undefined) === isTroubled),
      Stream.runHead
    )
  const told = Effect.gen(function* () {
    for (;;) {
      yield* untilIs(true)
      yield* Effect.timeoutOption(untilIs(false), patience)
      const trouble = troubleOf(yield* SubscriptionRef.get(state))
      if (trouble !== undefined) return trouble
    }
  })
  // it may have stopped to answer since it was last asked; one that is gone is told of
  const asked = api.info.pipe(
    Effect.timeoutOption(patience),
    Effect.flatMap((answer) => (Option.isNone(answer) ? Effect.succeed(silence) : Effect.never)),
    Effect.catch(() => Effect.never)
  )
  return Effect.raceFirst(told, asked)
}
