import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { CameraId } from "../../schema/Camera.ts"
import type { RecordingFormat } from "../../schema/Recording.ts"
import type { Holds } from "../storage/Holds.ts"
import type { Incident } from "./RecordingState.ts"
import { segmentName } from "./Format.ts"
import type { Segments } from "./Segments.ts"

/** The work on the files of one recording, each of which is held until it is done; what came of it is told. */
export const makeFileWork = (
  holds: Holds["Service"],
  segments: Segments["Service"],
  {
    camera,
    format,
    happened,
    scope
  }: {
    readonly camera: CameraId
    readonly format: RecordingFormat
    readonly happened: (incident: Incident) => void
    readonly scope: Scope.Scope
  }
) => {
  const givenUp = Deferred.makeUnsafe<void>()
  const held = new Map<string, Scope.Closeable>()

  /** Nobody deletes it until it is whole, or is being remuxed, which holds it in its own name. */
  const hold = Effect.fnUntraced(function* (filename: string) {
    const until = yield* Scope.fork(scope)
    held.set(filename, until)
    yield* Effect.ignore(Scope.provide(holds.hold("recording", filename, "RECORDING"), until))
  })

  /** Looks after a file that MediaMTX began; gives the name that it goes by. It is held before anybody can know that. */
  const begin = Effect.fnUntraced(function* (written: string) {
    const filename = segmentName(written, format)
    yield* hold(filename)
    const name = yield* segments.begin(camera, written, filename, (file, flaw) =>
      happened({ _tag: "SyncFailed", filename: file, reason: flaw })
    )
    if (name === filename) return name
    yield* release(filename)
    yield* hold(name)
    return name
  })

  const release = (filename: string) =>
    Effect.suspend(() => {
      const until = held.get(filename)
      held.delete(filename)
      return until === undefined ? Effect.void : Scope.close(until, Exit.void)
    })

  const finish = (filename: string) => {
    const remuxing = Effect.map(release(filename), () => happened({ _tag: "SegmentRemuxed", filename }))
    const isHurried = () => Deferred.isDoneUnsafe(givenUp)
    return segments.finish(camera, filename, { format, remuxing, givenUp: Deferred.await(givenUp), isHurried }).pipe(
      Effect.ensuring(release(filename)),
      Effect.map((finished) =>
        happened(
          finished === "EMPTY" ? { _tag: "SegmentGone", filename } : { _tag: "SegmentFinished", filename, ...finished }
        )
      ),
      Effect.catch((error) =>
        Effect.map(Effect.logError("a segment could not be looked after", error), () =>
          happened({ _tag: "SegmentFailed", filename, reason: error.detail })
        )
      ),
      // a recording ends when the last of its files has been told of
      Effect.catchDefect((defect) =>
        Effect.map(Effect.logError("a segment's work ended with a defect", defect), () =>
          happened({ _tag: "SegmentFailed", filename, reason: "an internal error" })
        )
      )
    )
  }

  const discard = (filename: string) =>
    Effect.ignore(segments.discard(filename)).pipe(
      Effect.ensuring(release(filename)),
      Effect.map(() => happened({ _tag: "SegmentGone", filename }))
    )

  return { begin, finish, discard, giveUpRemuxes: () => Deferred.doneUnsafe(givenUp, Effect.void) }
}
