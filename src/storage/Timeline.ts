import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CameraId } from "../../schema/Camera.ts"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { FileIndex } from "./FileIndex.ts"
import { Holds } from "./Holds.ts"
import type { Period } from "./Period.ts"
import type { LastFile, TimedFile, Stretch } from "./TimelineDatabase.ts"

/** A time in which a camera was recorded, as finely as was asked. */
export interface Span extends Stretch {
  /** it goes on */
  readonly isRecording: boolean
  /** why it ended, where that is known */
  readonly reason: string | undefined
}

/** Stretches that are read in one piece: a millisecond or so of SQLite, then others may run. */
const batch = 200

/** A reason is told about when its file ends, by whoever saw it first. */
const reasonSlack = 5000

/** When each camera was recorded. What is said comes from the index: see `TimelineDatabase.ts`. */
export class Timeline extends Context.Service<
  Timeline,
  {
    /**
     * The spans of one camera that have something of this period, cut to it, oldest first. Those that are no more than
     * `resolution` milliseconds apart are told as one. 1,000 stretches take 7 ms of a core, however many files they are of.
     */
    readonly spans: (
      device: CameraId,
      period: Period,
      resolution: number
    ) => Effect.Effect<ReadonlyArray<Span>, DependencyFailed>
    /** the files that have something of this period, oldest first; that of a recording under way ends now */
    readonly files: (
      device: CameraId,
      period: Period,
      limit: number
    ) => Effect.Effect<ReadonlyArray<TimedFile & { readonly isWritten: boolean }>, DependencyFailed>
    /** nothing is recorded of a camera from now on, and why; what the disk does not take within 10 s is lost, and logged */
    readonly noteEnd: (device: CameraId, reason: string) => Effect.Effect<void>
  }
>()("camera-service/storage/Timeline") {
  static readonly layer = Layer.effect(
    Timeline,
    Effect.gen(function* () {
      const { tellTimeline, timeline } = yield* FileIndex
      const holds = yield* Holds
      const noting = makeTrouble()

      /** whether a file ends now: it is recorded, or remuxed and nobody has looked into it */
      const isWritten = (filename: string, isKnown: boolean) =>
        holds.isRecorded(filename) || (!isKnown && holds.isWritten("recording", filename))

      const spans = Effect.fn("Timeline.spans")(function* (device: CameraId, { from, to }: Period, resolution: number) {
        const now = yield* Clock.currentTimeMillis
        const found: Array<{ start: number; end: number; isRecording: boolean }> = []
        /** what begins here, until the next one begins, or the period ends */
        const add = (start: number, last: LastFile | undefined) => {
          if (last === undefined) return
          const isOpen = isWritten(last.filename, last.isKnown)
          const end = isOpen ? Math.max(last.end, now) : last.end
          const before = found.at(-1)
          const isRecording = isOpen && end <= to
          if (end <= from || (end <= start && !isOpen)) return
          const cut = { start: Math.max(start, from), end: Math.min(Math.max(end, start), to), isRecording }
          if (before === undefined || cut.start - before.end > resolution) found.push(cut)
          else Object.assign(before, { end: Math.max(before.end, cut.end), isRecording })
        }
        let start = yield* timeline((it) => it.startBefore(device, from))
        let after = from
        for (;;) {
          const starts = yield* timeline((it) => {
            const some = it.starts(device, after, to, batch)
            for (const next of some) {
              if (start !== undefined) add(start, it.lastBefore(device, next))
              start = next
            }
            return some
          })
          if (starts.length < batch) break
          after = starts.at(-1) ?? to
          yield* Effect.yieldNow
        }
        const open = start
        return yield* timeline((it): ReadonlyArray<Span> => {
          if (open !== undefined) add(open, it.lastBefore(device, to))
          return found.map(({ end, isRecording, start: begins }, i) => ({
            start: begins,
            end,
            isRecording,
            reason:
              isRecording || end >= to
                ? undefined
                : it.reasonOf(device, end - reasonSlack, (found[i + 1]?.start ?? now) + reasonSlack)
          }))
        })
      })

      return Timeline.of({
        spans,
        files: Effect.fn("Timeline.files")(function* (device: CameraId, { from, to }: Period, limit: number) {
          const now = yield* Clock.currentTimeMillis
          const found = yield* timeline((it) => it.files(device, from, to, limit + 1))
          return found
            .map((file) => {
              const isOpen = isWritten(file.filename, file.codec !== "")
              return Object.assign({}, file, { end: isOpen ? Math.max(file.end, now) : file.end, isWritten: isOpen })
            })
            .filter(({ end, isWritten: isOpen, start }) => end > from && (end > start || isOpen))
            .slice(0, limit)
        }),
        noteEnd: Effect.fn("Timeline.noteEnd")(function* (device: CameraId, reason: string) {
          const now = yield* Clock.currentTimeMillis
          yield* tellTimeline((it) => it.noteEnd(device, now, reason)).pipe(
            Effect.andThen(noting.isOver()),
            Effect.catch((error) => noting.began("why recordings have gaps cannot be kept", error))
          )
        })
      })
    })
  )
}
