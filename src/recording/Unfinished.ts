import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import { RecordingFormat } from "../../schema/Recording.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { nextAnswer, sharedAnswer } from "../storage/SharedAnswer.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"

const UnfinishedRecording = Schema.Struct({
  device: CameraId,
  format: RecordingFormat,
  /** epoch milliseconds at which it is to end, and for how many it was to go on; absent: until it is stopped */
  until: Schema.optionalKey(Schema.Struct({ endsAt: Schema.Finite, milliseconds: Schema.Finite }))
})
export type UnfinishedRecording = typeof UnfinishedRecording.Type

const Stored = Schema.fromJsonString(
  Schema.Struct({ version: Schema.Literal(1), recordings: Schema.Array(UnfinishedRecording) })
)

/** Two syncs of a disk on which each takes 3 s, and the rest of a write that is under way; then it hangs. */
const writeTime = Duration.seconds(10)

/** A disk that fails to read: it may have been too busy, or out of open files, for a moment. */
const readAgain = Schedule.min([Schedule.exponential("1 second", 2), Schedule.spaced("30 seconds")])

/** The recordings under way, as the disk knows them: `unfinished_recordings.json`. What is left there at a start was cut off. */
export class Unfinished extends Context.Service<
  Unfinished,
  {
    /** as they are in memory, which is read from the disk once: a disk that fails to is asked until it does */
    readonly list: Effect.Effect<ReadonlyArray<UnfinishedRecording>>
    /** whether this one is among them */
    readonly has: (camera: CameraId) => Effect.Effect<boolean>
    /** on the disk when this succeeds; one that hangs is waited for 10 s, and may write it down later, as one that fails to read */
    readonly add: (recording: UnfinishedRecording) => Effect.Effect<void, DependencyFailed>
    /** the same */
    readonly remove: (camera: CameraId) => Effect.Effect<void, DependencyFailed>
    /** the same */
    readonly clear: Effect.Effect<void, DependencyFailed>
  }
>()("camera-service/recording/Unfinished") {
  static readonly layer = Layer.effect(
    Unfinished,
    Effect.gen(function* () {
      const { root } = yield* DataFolder
      const smallFiles = yield* SmallFiles
      const file = join(root, "unfinished_recordings.json")
      const scope = yield* Effect.scope
      const trouble = makeTrouble()
      const reading = makeTrouble()
      let known: Known | undefined
      /** changes that came before it was read, by camera */
      const waiting = new Map<CameraId, (now: Known) => Known>()
      /** undefined: it is being written, or could not be */
      let onDisk: Known | undefined

      const write = nextAnswer(
        Effect.suspend(() => {
          const writing = known
          if (writing === onDisk) return Effect.void
          onDisk = undefined
          const text = JSON.stringify({ version: 1, recordings: [...(writing?.values() ?? [])] })
          return Effect.andThen(
            Effect.map(smallFiles.write(file, text), () => void (onDisk = writing)),
            trouble.isOver("which recordings are under way is written down again")
          )
        })
      )

      const inTime = (writing: Effect.Effect<void, DependencyFailed>) =>
        writing.pipe(
          Effect.timeoutOrElse({ duration: writeTime, orElse: () => Effect.fail(hangs) }),
          Effect.tapError((error) => trouble.began("which recordings are under way could not be written down", error))
        )

      /** Of a disk that fails to read it nothing is known, and it is not written before it is. */
      const read = sharedAnswer(
        Effect.gen(function* () {
          const text = yield* smallFiles.read(file)
          const { recordings } = Option.isNone(text) ? nothing : yield* decode(text.value)
          // the service's end may have come meanwhile
          if (known !== undefined) return known
          onDisk = new Map(recordings.map((recording) => [recording.device, recording]))
          known = [...waiting.values()].reduce((now, next) => next(now), onDisk)
          // what waited for it was said not to be written down
          if (known !== onDisk) yield* Effect.forkIn(Effect.ignore(inTime(write)), scope)
          return known
        })
      )
      const all = Effect.suspend(() => (known === undefined ? read : Effect.succeed(known)))
      const allInTheEnd = all.pipe(
        Effect.tapError((error) =>
          reading.began("which recordings were cut off cannot be read: it is tried on", error)
        ),
        Effect.retry(readAgain),
        Effect.tap(() => reading.isOver("which recordings were cut off is read")),
        Effect.orDie
      )

      /** Of each camera the last one counts. */
      const change = (camera: CameraId, next: (now: Known) => Known) =>
        Effect.suspend(() => {
          if (known !== undefined) known = next(known)
          else waiting.set(camera, next)
          return Effect.andThen(all, write)
        }).pipe(inTime)

      return Unfinished.of({
        list: Effect.map(allInTheEnd, (found) => [...found.values()]),
        has: (camera) => Effect.map(allInTheEnd, (found) => found.has(camera)),
        add: (recording) => change(recording.device, (now) => new Map([...now, [recording.device, recording]])),
        remove: (camera) =>
          change(camera, (now) => (now.has(camera) ? new Map([...now].filter(([device]) => device !== camera)) : now)),
        // whatever stands there is over: it needs not be known
        clear: Effect.suspend(() => {
          waiting.clear()
          if (known?.size !== 0) known = new Map()
          return write
        }).pipe(inTime)
      })
    })
  )
}

type Known = ReadonlyMap<CameraId, UnfinishedRecording>

const nothing = { recordings: [] }

/** What is damaged stays so: there is nothing to wait for. */
const decode = (text: string) =>
  Schema.decodeEffect(Stored)(text).pipe(
    Effect.catch((error) =>
      Effect.as(Effect.logWarning("recordings that were cut off are not known: they do not go on", error), nothing)
    )
  )

const hangs = new DependencyFailed({
  dependency: "storage",
  detail: "cannot write down which cameras are recorded: the disk did not answer in time"
})
