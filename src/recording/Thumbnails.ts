import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import * as RcMap from "effect/RcMap"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, NotFound } from "../../schema/Errors.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { fileThumbnailArguments, thumbnailArguments } from "../source/FfmpegArguments.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { Files } from "../storage/Files.ts"
import { RecordingParts } from "../storage/RecordingParts.ts"
import { Timeline } from "../storage/Timeline.ts"
import type { TimedFile } from "../storage/TimelineDatabase.ts"

/** One picture stands for so many seconds: others ask for the same one. */
const gridSeconds = 10

/** Of all pictures that are kept; one has 5 to 15 kB. */
const mostBytes = 8 << 20
/** Nobody looks at the past any more: what is kept for that is let go. */
const keptFor = "10 minutes"
/** A second of the best camera's video has 4 MB. */
const mostOfPart = 16 << 20
/** With the wait for others, one at a time. */
const timeLimit = "10 seconds"

interface Asked {
  readonly camera: CameraId
  /** epoch milliseconds, on the grid */
  readonly moment: number
}

const failed = (detail: string) => Effect.fail(new DependencyFailed({ dependency: "ffmpeg", detail }))

/** Small pictures of what was recorded. */
export class Thumbnails extends Context.Service<
  Thumbnails,
  {
    /** JPEG, 320 pixels wide: the keyframe before this moment (epoch seconds, cut to the grid), or the first after it */
    readonly at: (camera: CameraId, seconds: number) => Effect.Effect<Uint8Array, NotFound | DependencyFailed>
  }
>()("camera-service/recording/Thumbnails") {
  static readonly layer = Layer.effect(
    Thumbnails,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const ffmpeg = yield* Ffmpeg
      const files = yield* Files
      const parts = yield* RecordingParts
      const timeline = yield* Timeline
      // a part is read when its turn has come: many that wait must not hold one each
      const turn = yield* Semaphore.make(1)
      const forgetting = yield* FiberHandle.make()
      /** the oldest first */
      const kept = new Map<string, Uint8Array>()
      let bytes = 0

      const keep = (key: string, picture: Uint8Array) =>
        Effect.gen(function* () {
          kept.set(key, picture)
          bytes += picture.length
          for (const [oldest, { length }] of kept) {
            if (bytes <= mostBytes) break
            kept.delete(oldest)
            bytes -= length
          }
          const forget = Effect.sync(() => {
            kept.clear()
            bytes = 0
          })
          yield* FiberHandle.run(forgetting, Effect.delay(forget, keptFor))
        })

      /** A fragmented MP4 is read at the keyframe's place alone; FFmpeg finds it in any other file. */
      const decode = Effect.fnUntraced(function* ({ filename, start }: TimedFile, at: number) {
        const seconds = Math.max(0, (at - start) / 1000)
        const known = yield* Effect.catchTag(parts.of(filename), "InvalidState", () => Effect.succeed(undefined))
        if (known === undefined) {
          return yield* ffmpeg.run(fileThumbnailArguments(join(folder.recordings, filename), seconds), {
            work: "thumbnail",
            timeout: timeLimit
          })
        }
        const { initBytes, parts: all } = known
        const part = all.findLast(({ keyframe }) => keyframe <= seconds) ?? all[0]
        const file = yield* files.open("recording", filename)
        const head = yield* file.read(0, initBytes)
        const media = yield* file.read(part?.offset ?? 0, Math.min(part?.length ?? 0, mostOfPart))
        const stdin = new Uint8Array(head.length + media.length)
        stdin.set(head)
        stdin.set(media, head.length)
        return yield* ffmpeg.run(thumbnailArguments, { work: "thumbnail", stdin, timeout: timeLimit })
      }, Effect.scoped)

      const make = Effect.fnUntraced(function* ({ camera, moment }: Asked) {
        const [file] = yield* timeline.files(camera, { from: moment, to: moment + gridSeconds * 1000 }, 1)
        if (file === undefined) {
          const reason = "nothing was recorded at that time"
          return yield* new NotFound({ resource: "recording", id: camera, reason })
        }
        const key = `${file.filename} ${moment}`
        const there = kept.get(key)
        if (there !== undefined) return there
        const picture = yield* decode(file, moment).pipe(
          turn.withPermit,
          Effect.catchTag("FfmpegFailed", (error) =>
            Effect.andThen(Effect.logWarning("a thumbnail failed", error), failed("the recording could not be read"))
          ),
          Effect.timeoutOrElse({ duration: timeLimit, orElse: () => failed("it has too much to do") })
        )
        if (picture.length === 0) {
          return yield* failed("no picture came of the recording")
        }
        yield* keep(key, picture)
        return picture
      })

      /** whoever asks while it is made waits for the same; it is given up with the last of them */
      const making = yield* RcMap.make({ lookup: make })

      const at = Effect.fn("Thumbnails.at")((camera: CameraId, seconds: number) => {
        const moment = Math.floor(seconds / gridSeconds) * gridSeconds * 1000
        return Effect.scoped(RcMap.get(making, { camera, moment }))
      })

      return Thumbnails.of({ at })
    })
  )
}
