import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { RecordingStatusUpdate } from "../../schema/Recording.ts"
import type { Recording } from "./Recording.ts"
import type { Segment } from "./Segments.ts"

/** What clients are told of recordings. */
export const makeUpdates = Effect.map(PubSub.unbounded<RecordingStatusUpdate>(), (updates) => {
  /** The update names the file that it is about: the segment, by the name of what was made of it. */
  const tell = Effect.fnUntraced(function* (
    { camera, finished, startedAt }: Recording,
    segment: Segment | undefined,
    status: RecordingStatusUpdate["status"],
    reason?: string
  ) {
    const now = yield* Clock.currentTimeMillis
    const written = segment?.filename ?? ""
    yield* PubSub.publish(updates, {
      device: camera,
      status,
      filename: finished.get(written)?.filename ?? written,
      duration: (now - startedAt) / 1000,
      ...(reason === undefined ? {} : { reason })
    })
  })

  return { tell, changes: Stream.fromPubSub(updates) }
})
