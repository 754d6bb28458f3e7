import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Timeline } from "../storage/Timeline.ts"
import { Recordings } from "./Recordings.ts"

/** Keeps why recordings ended, or paused: what the gap behind them is of. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { facts } = yield* Recordings
    const timeline = yield* Timeline
    yield* facts.follow(({ _tag, camera, reason }) => {
      if (_tag === "RecordingStarting" || _tag === "RecordingWriting" || _tag === "RecordingFailed") return Effect.void
      return timeline.noteEnd(camera, reason ?? "the recording was stopped")
    })
  })
)
