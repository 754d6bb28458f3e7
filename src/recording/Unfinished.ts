import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import { RecordingFormat } from "../../schema/Recording.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { nextAnswer } from "../storage/SharedAnswer.ts"
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

/** The recordings under way, as the disk knows them: `unfinished_recordings.json`. What is left there at a start was cut off. */
export class Unfinished extends Context.Service<
  Unfinished,
  {
    /** as they are in memory, which is read from the disk once */
    readonly list: Effect.Effect<ReadonlyArray<UnfinishedRecording>>
    /** whether this one is among them */
    readonly has: (camera: CameraId) => Effect.Effect<boolean>
    /** on the disk when this succeeds; one that hangs is waited for 10 s, and may write it down later */
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
      const oneReading = yield* Semaphore.make(1)
      const trouble = makeTrouble()
      let known: Known | undefined
      /** undefined: it is being written, or could not be */
      let onDisk: Known | undefined

      const read = Effect.gen(function* () {
        const text = yield* smallFiles.read(file)
        const { recordings } = Option.isNone(text) ? nothing : yield* Schema.decodeEffect(Stored)(text.value)
        return new Map(recordings.map((recording) => [recording.device, recording]))
      }).pipe(
        Effect.catch((error) =>
          Effect.as(
            Effect.logWarning("recordings that were cut off are not known: they do not go on", error),
            new Map<CameraId, UnfinishedRecording>()
          )
        )
      )
      const all = oneReading.withPermit(
        Effect.suspend(() =>
          known === undefined ? Effect.map(read, (found) => (known = onDisk = found)) : Effect.succeed(known)
        )
      )

      const write = nextAnswer(
        Effect.suspend(() => {
          const writing = known
          onDisk = undefined
          const text = JSON.stringify({ version: 1, recordings: [...(writing?.values() ?? [])] })
          return Effect.andThen(
            Effect.map(smallFiles.write(file, text), () => void (onDisk = writing)),
            trouble.isOver("which recordings are under way is written down again")
          )
        })
      )

      const change = (next: (now: Known) => Known) =>
        Effect.gen(function* () {
          const found = yield* all
          // in one step with what there is now, which another change may have made since
          known = next(known ?? found)
          if (known !== onDisk) yield* write
        }).pipe(
          Effect.timeoutOrElse({ duration: writeTime, orElse: () => Effect.fail(hangs) }),
          Effect.tapError((error) => trouble.began("which recordings are under way could not be written down", error))
        )

      return Unfinished.of({
        list: Effect.map(all, (found) => [...found.values()]),
        has: (camera) => Effect.map(all, (found) => found.has(camera)),
        add: (recording) => change((now) => new Map([...now, [recording.device, recording]])),
        remove: (camera) =>
          change((now) => (now.has(camera) ? new Map([...now].filter(([device]) => device !== camera)) : now)),
        clear: change((now) => (now.size === 0 ? now : new Map()))
      })
    })
  )
}

type Known = ReadonlyMap<CameraId, UnfinishedRecording>

const nothing = { recordings: [] }

const hangs = new DependencyFailed({
  dependency: "storage",
  detail: "cannot write down which cameras are recorded: the disk did not answer in time"
})
