import * as Effect from "effect/Effect"
import type { OwnFacts } from "../facts/Facts.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { sum } from "./Draft.ts"
import type { RecordingFact } from "./Recording.ts"
import type { OwnRun } from "./RecordingRun.ts"
import type { Action } from "./RecordingState.ts"

/** Gives what tells of one recording, which begins now; trouble and its end stand in the log, too. */
export const makeTell = Effect.fnUntraced(function* (facts: OwnFacts<RecordingFact>, { recording, state }: OwnRun) {
  const { camera } = recording
  const since = yield* monotonicMillis
  let isTroubled = false

  return Effect.fnUntraced(function* ({ fact, filename, reason }: Extract<Action, { _tag: "Tell" }>) {
    const now = yield* monotonicMillis
    const isStopped = fact === "RecordingEnded" || fact === "RecordingWaiting"
    const seconds = isStopped ? sum(state()).seconds : (now - since) / 1000
    facts.tell({ _tag: fact, camera, filename, seconds, reason })
    if (fact === "RecordingWaiting" || fact === "RecordingTroubled" || fact === "RecordingFailed") {
      isTroubled = true
      yield* Effect.logWarning("a recording is in trouble", reason)
    } else if (fact === "RecordingWriting" && (isTroubled || reason !== undefined)) {
      isTroubled = false
      yield* Effect.logInfo("a recording goes on", ...(reason === undefined ? [] : [reason]))
    }
  })
})
