import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as RcMap from "effect/RcMap"
import type { DependencyFailed, NotFound } from "../../schema/Errors.ts"
import { InvalidState } from "../../schema/Errors.ts"
import { mp4Parts, type Mp4Parts } from "../media/Mp4Parts.ts"
import { FileIndex } from "./FileIndex.ts"
import { Files, type ReadableFile } from "./Files.ts"
import { Holds } from "./Holds.ts"
import { packParts, unpackParts } from "./PackedParts.ts"
import { sharedAnswer } from "./SharedAnswer.ts"

/** So many files that were closed wait to be looked into; those beyond are looked into when somebody asks. */
const mostWaiting = 1000
/** A minute of video takes 15 to 70 ms, an hour 1 to 4 s (measured, in the kernel's memory); a slow disk takes longer. */
const patience = Duration.seconds(5)
/** Files being written of which is remembered what was known: as many as are recorded, mostly. */
const mostGrowing = 64
/** Headers that are read at a time before others have their turn. */
const turn = 64

/** Where parts and keyframes are in recordings, so that a player fetches what it needs of them. */
export class RecordingParts extends Context.Service<
  RecordingParts,
  {
    /**
     * Of a file as it is; the file says it, where that is not known yet. Fails with `InvalidState` where the file is no
     * fragmented MP4, or is still being looked into after 5 s.
     */
    readonly of: (filename: string) => Effect.Effect<Mp4Parts, NotFound | InvalidState | DependencyFailed>
    /** a file is whole: it is looked into beside */
    readonly closed: (filename: string) => void
  }
>()("camera-service/storage/RecordingParts") {
  static readonly layer = Layer.effect(
    RecordingParts,
    Effect.gen(function* () {
      const { tellTimeline, timeline } = yield* FileIndex
      const files = yield* Files
      const holds = yield* Holds

      /** what was known of files that are being written, when somebody asked last */
      const growing = new Map<string, Mp4Parts>()

      const look = Effect.fn("RecordingParts.look")(function* (filename: string, isClosed: boolean) {
        const isGrowing = !isClosed && holds.isWritten("recording", filename)
        const before = isClosed || isGrowing ? growing.get(filename) : undefined
        const found = yield* readParts(yield* files.open("recording", filename), before)
        growing.delete(filename)
        if (found === undefined) return undefined
        if (isGrowing) {
          growing.set(filename, found)
          const [oldest = ""] = growing.keys()
          if (growing.size > mostGrowing) growing.delete(oldest)
        } else yield* Effect.ignore(tellTimeline((it) => it.putParts(filename, packParts(found))))
        return found
      }, Effect.scoped)

      /** whoever asks while a file is looked into waits for the same, which goes on without them */
      const looks = yield* RcMap.make({
        lookup: (filename: string) => look(filename, false),
        idleTimeToLive: "10 seconds"
      })

      /** the same of files that are being written, but what a look has found serves nobody who asks after it */
      const growingLooks = new Map<string, ReturnType<typeof look>>()
      const lookGrowing = (filename: string) =>
        Effect.suspend(() => {
          const underWay = growingLooks.get(filename)
          if (underWay !== undefined) return underWay
          const ended = Effect.sync(() => growingLooks.delete(filename))
          const begun = sharedAnswer(Effect.ensuring(look(filename, false), ended))
          growingLooks.set(filename, begun)
          return begun
        })

      const of = Effect.fn("RecordingParts.of")(function* (filename: string) {
        const known = yield* timeline((it) => it.parts(filename))
        const parts = known === undefined ? undefined : unpackParts(known)
        if (parts !== undefined) return parts
        const isWritten = holds.isWritten("recording", filename)
        const looking = isWritten ? lookGrowing(filename) : Effect.scoped(RcMap.get(looks, filename))
        const found = yield* looking.pipe(
          Effect.timeoutOrElse({
            duration: patience,
            orElse: () =>
              Effect.fail(
                new InvalidState({
                  state: "BEING_READ",
                  allowed_states: ["READ"],
                  suggestion: "ask again in a few seconds: a long file is being looked into"
                })
              )
          })
        )
        if (found !== undefined) return found
        return yield* new InvalidState({
          state: "NO_PARTS",
          allowed_states: ["FRAGMENTED_MP4"],
          suggestion: "only what was recorded in the format fmp4 has parts: download the file"
        })
      })

      const waiting = yield* Queue.dropping<string>(mostWaiting)
      yield* Queue.take(waiting).pipe(
        Effect.flatMap((filename) => Effect.ignore(look(filename, true))),
        Effect.forever,
        Effect.forkScoped
      )

      return RecordingParts.of({ of, closed: (filename) => void Queue.offerUnsafe(waiting, filename) })
    })
  )
}

const readParts = Effect.fnUntraced(function* (file: ReadableFile, before: Mp4Parts | undefined) {
  const reading = mp4Parts(before)
  let step = reading.next()
  for (let reads = 1; step.done !== true; reads++) {
    const { length, position } = step.value
    step = reading.next(yield* file.read(position, Math.min(length, Math.max(0, file.bytes - position))))
    if (reads % turn === 0) yield* Effect.yieldNow
  }
  return step.value
})
