import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, InvalidParams, NotFound } from "../../schema/Errors.ts"
import { headBytes, isContainer } from "../media/Container.ts"
import { mp4Sound } from "../media/Mp4Sound.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import type { FfmpegFailed } from "../process/FfmpegFailed.ts"
import { exportArguments, type ExportedFile, exportList } from "../source/FfmpegArguments.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { Files } from "../storage/Files.ts"
import { Holds } from "../storage/Holds.ts"
import type { Period } from "../storage/Period.ts"
import { Timeline } from "../storage/Timeline.ts"

/** So many files go into one export: three days and a half of minutes. */
const mostFiles = 5000
/** Exports of others may be under way for as long as their clients read. */
const turnTime = "10 seconds"

/** An export under way: the MP4, made as it is read, and what ends it early. */
export interface Export {
  readonly bytes: Stream.Stream<Uint8Array, FfmpegFailed>
  /** one of its files was deleted */
  readonly taken: Effect.Effect<void>
}

/**
 * What was recorded of a camera in a time, as one MP4: cut at keyframes, copied, gaps left out; with sound where all its files
 * have the same.
 */
export class Exports extends Context.Service<
  Exports,
  {
    /** for as long as the scope lives; its files are kept meanwhile, as for a download */
    readonly begin: (
      camera: CameraId,
      period: Period
    ) => Effect.Effect<Export, NotFound | InvalidParams | DependencyFailed, Scope.Scope>
  }
>()("camera-service/recording/Exports") {
  static readonly layer = Layer.effect(
    Exports,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const files = yield* Files

      /** A link, or a playlist, in a recording's place would have FFmpeg read another camera's. */
      const look = <File extends { readonly filename: string }>(file: File) =>
        files.open("recording", file.filename).pipe(
          Effect.flatMap(({ read }) =>
            Effect.gen(function* () {
              if (!isContainer(yield* read(0, headBytes))) return []
              const reading = mp4Sound()
              let step = reading.next()
              while (step.done !== true) step = reading.next(yield* read(step.value.position, step.value.length))
              return [{ ...file, sound: step.value }]
            })
          ),
          Effect.scoped,
          Effect.orElseSucceed(() => [])
        )
      const ffmpeg = yield* Ffmpeg
      const holds = yield* Holds
      const timeline = yield* Timeline

      const begin = Effect.fn("Exports.begin")(function* (camera: CameraId, period: Period) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const found = yield* timeline.files(camera, period, mostFiles + 1)
        if (found.length > mostFiles) {
          const hint = "export it in parts"
          return yield* new InvalidParams({ param: "to", rule: `a time of ${mostFiles} files at most`, hint })
        }
        const own = (yield* Effect.forEach(found, look, { concurrency: 4 })).flat()
        if (own.length === 0) {
          const reason = "nothing was recorded in that time"
          return yield* new NotFound({ resource: "recording", id: camera, reason })
        }
        const held = yield* Effect.forEach(own, ({ filename }) => holds.hold("recording", filename, "DOWNLOADING"))
        const list = own.map(({ end, filename, start }): ExportedFile => ({
          path: join(folder.recordings, filename),
          seconds: (Math.min(end, period.to) - Math.max(start, period.from)) / 1000,
          from: start < period.from ? (period.from - start) / 1000 : undefined,
          to: end > period.to ? (period.to - start) / 1000 : undefined
        }))
        const stdin = new TextEncoder().encode(exportList(list))
        // one that is without, or has another, would leave players at a loss
        const [first] = own
        const sound = own.every((file) => file.sound?.kind === first?.sound?.kind) ? first?.sound?.codec : undefined
        const bytes = yield* ffmpeg.pour(exportArguments(sound), { work: "export", stdin }).pipe(
          Effect.timeoutOrElse({ duration: turnTime, orElse: () => Effect.fail(busy) }),
          Effect.catchTag("FfmpegFailed", (error) =>
            Effect.andThen(
              Effect.logWarning("an export failed", error),
              Effect.fail(new DependencyFailed({ dependency: "ffmpeg", detail: "the recordings could not be read" }))
            )
          )
        )
        return { bytes, taken: Effect.raceAll(held.map(({ taken }) => taken)) }
      })

      return Exports.of({ begin })
    })
  )
}

const busy = new DependencyFailed({
  dependency: "ffmpeg",
  detail: "as many exports are under way as may be",
  suggestion: "try again when one has ended"
})
