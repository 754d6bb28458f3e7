import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Timeline } from "../storage/Timeline.ts"
import { Recordings } from "./Recordings.ts"

/** Keeps why recordings ended or paused, and what those say that go on after it: what a gap is of. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { facts } = yield* Recordings
    const timeline = yield* Timeline
    yield* facts.follow(({ _tag, camera, reason }) => {
      const why = reason ?? (_tag === "RecordingEnded" ? "the recording was stopped" : undefined)
      return why === undefined ? Effect.void : timeline.noteEnd(camera, why)
    })
  })
)
