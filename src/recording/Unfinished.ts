import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import { RecordingFormat } from "../../schema/Recording.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { looseAnswer } from "../storage/SharedAnswer.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"

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

/** The recordings under way, as the disk knows them: `unfinished_recordings.json`. What is left there at a start was cut off. */
export class Unfinished extends Context.Service<
  Unfinished,
  {
    readonly list: Effect.Effect<ReadonlyArray<UnfinishedRecording>>
    readonly has: (camera: CameraId) => Effect.Effect<boolean>
    /** on the disk when this returns; a disk that refuses it is told of, and the recording goes on */
    readonly add: (recording: UnfinishedRecording) => Effect.Effect<void>
    readonly remove: (camera: CameraId) => Effect.Effect<void>
    readonly clear: Effect.Effect<void>
  }
>()("camera-service/recording/Unfinished") {
  static readonly layer = Layer.effect(
    Unfinished,
    Effect.gen(function* () {
      const { root } = yield* DataFolder
      const smallFiles = yield* SmallFiles
      const file = join(root, "unfinished_recordings.json")
      const oneChange = yield* Semaphore.make(1)
      let known: ReadonlyMap<CameraId, UnfinishedRecording> | undefined

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
      const all = Effect.suspend(() =>
        known === undefined ? Effect.map(read, (found) => (known ??= found)) : Effect.succeed(known)
      )

      const change = (next: (now: ReadonlyMap<CameraId, UnfinishedRecording>) => Map<CameraId, UnfinishedRecording>) =>
        Effect.gen(function* () {
          const before = yield* all
          const after = next(before)
          known = after
          if (after.size === 0 && before.size === 0) return
          // a disk that hangs keeps nobody who has to go on
          yield* looseAnswer(smallFiles.write(file, JSON.stringify({ version: 1, recordings: [...after.values()] })))
        }).pipe(
          Effect.catch((error) => Effect.logWarning("which recordings are under way could not be written down", error)),
          oneChange.withPermit
        )

      return Unfinished.of({
        list: Effect.map(all, (found) => [...found.values()]),
        has: (camera) => Effect.map(all, (found) => found.has(camera)),
        add: (recording) => change((now) => new Map([...now, [recording.device, recording]])),
        remove: (camera) => change((now) => new Map([...now].filter(([device]) => device !== camera))),
        clear: change(() => new Map())
      })
    })
  )
}

const nothing = { recordings: [] }
