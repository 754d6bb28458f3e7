import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Timeline } from "../storage/Timeline.ts"
import { Recordings } from "./Recordings.ts"

/** Keeps why recordings ended or paused, and what those say that go on after it: what a gap is of. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { facts } = yield* Recordings
    const timeline = yield* Timeline
    const scope = yield* Effect.scope
    yield* facts.follow(({ _tag, camera, reason }) => {
      const why = reason ?? (_tag === "RecordingEnded" ? "the recording was stopped" : undefined)
      // those that come after it do not wait for the disk
      return why === undefined
        ? Effect.void
        : Effect.forkIn(timeline.noteEnd(camera, why), scope, { startImmediately: true })
    })
  })
)
