import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import { basename, dirname, join } from "node:path"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { RecordingFormat } from "../../schema/Recording.ts"
import type { Disk } from "../ground/Disk.ts"
import type { Ffmpeg } from "../process/Ffmpeg.ts"
import { FfmpegFailed } from "../process/FfmpegFailed.ts"
import { remuxArguments } from "../source/FfmpegArguments.ts"
import type { MediaInfo } from "../process/Ffprobe.ts"
import { extensionOf } from "../storage/Names.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { attempt } from "../storage/StorageFailed.ts"
import { isRemuxed } from "./Format.ts"

/** Copying an hour into another container reads and writes it once. */
const remuxTime = Duration.minutes(10)
/** What hangs writes nothing; a remux that does not is given all of `remuxTime`. */
const stuckSeconds = 5

/** So many may wait for their turn; where segments come faster than they are remuxed, the rest stays what it is. */
const mostWaiting = 100

/** Containers round durations, and begin to count at their first frame or at zero. */
const toleratedSeconds = 0.5

/** How a segment is made what was asked for. */
export interface Wanted {
  readonly format: RecordingFormat
  /** does what has to be known once it is copied into another container, which takes what it takes */
  readonly remuxing: Effect.Effect<unknown>
  /** returns when there is no time for that any more: the file stays what it is */
  readonly givenUp: Effect.Effect<unknown>
  /** whether that is so */
  readonly isHurried: () => boolean
}

/** A segment in the container that was asked for: `copy`, beside its place, or it stays what it is; `flaw`: why. */
interface Remuxed {
  readonly copy: { readonly path: string; readonly media: MediaInfo } | undefined
  readonly flaw: string | undefined
}

const kept = (why?: string): Remuxed => ({
  copy: undefined,
  flaw: why === undefined ? undefined : `it is kept as it was written, as fragmented MP4: ${why}`
})

/** Copies a segment (its path) into another container where its format asks for that. */
export const makeRemux = Effect.fnUntraced(function* (disk: Disk["Service"], ffmpeg: Ffmpeg["Service"]) {
  // it reads and writes as fast as the disk can
  const oneRemux = yield* Semaphore.make(1)
  let waiting = 0

  /** Fails when FFmpeg has written nothing for a while: whoever stops the recording waits for it. */
  const awaitStuck = Effect.fnUntraced(function* (aside: string) {
    let last = ""
    for (let still = 0; still < stuckSeconds; still++) {
      yield* Effect.sleep("1 second")
      const state = yield* Effect.option(disk.state(aside))
      const now = Option.isNone(state) ? "" : `${state.value.bytes} ${state.value.modified}`
      if (now !== last) still = 0
      last = now
    }
    return yield* new FfmpegFailed({ detail: `ffmpeg wrote nothing for ${stuckSeconds} s` })
  })

  /** FFmpeg's word alone is not enough: with a full disk it may leave an empty file or a part, and end with status 0. */
  const checked = Effect.fnUntraced(function* (path: string, aside: string) {
    const media = yield* ffmpeg.probe(aside)
    const was = yield* ffmpeg.probe(path)
    if (media.duration >= was.duration - toleratedSeconds) return media
    return yield* new FfmpegFailed({ detail: `ffmpeg copied ${media.duration} s of ${was.duration}` })
  })

  const copy = Effect.fn("Segments.remux")(function* (path: string, format: "mp4" | "mkv") {
    const aside = join(dirname(path), `${temporaryPrefix}${basename(path)}`)
    const copied = ffmpeg.run(remuxArguments(path, aside, format), { work: "remux", timeout: remuxTime })
    return yield* Effect.raceFirst(copied, awaitStuck(aside)).pipe(
      oneRemux.withPermit,
      Effect.andThen(checked(path, aside)),
      Effect.tap(attempt("sync the recording", disk.sync(aside))),
      Effect.map((media): Remuxed => ({ copy: { path: aside, media }, flaw: undefined })),
      Effect.onError(() => Effect.ignore(disk.removeAll(aside)))
    )
  })

  return Effect.fnUntraced(function* (path: string, { format, givenUp, remuxing }: Wanted) {
    if (!isRemuxed(format)) return kept()
    if (extensionOf(path) !== format) return kept("it could not be renamed")
    if (waiting >= mostWaiting) return kept("too many wait to be copied")
    waiting++
    return yield* remuxing.pipe(
      Effect.andThen(Effect.raceFirst(copy(path, format), Effect.as(givenUp, kept("there was no time to copy it")))),
      Effect.ensuring(Effect.sync(() => waiting--)),
      Effect.catch((error: DependencyFailed | FfmpegFailed) =>
        Effect.as(
          Effect.logError("a recording is kept as it was written: it could not be remuxed", error),
          // in FFmpeg's words, which name files by their paths
          kept(error.detail.replaceAll(`${dirname(path)}/`, ""))
        )
      )
    )
  })
})
