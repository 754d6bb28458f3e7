import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { watch } from "node:fs"
import { open, readdir, rename, rm, stat, unlink } from "node:fs/promises"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { RecordingFormat } from "../../schema/Recording.ts"
import { Ffmpeg, type FfmpegFailed } from "../process/Ffmpeg.ts"
import { readMp4Header } from "../process/Mp4Header.ts"
import { remuxArguments } from "../source/FfmpegArguments.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { attempt, errnoOf, syncFolder, temporaryPrefix } from "../storage/Disk.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import type { IndexedFile } from "../storage/IndexDatabase.ts"
import { extensionOf, parseFileName } from "../storage/Names.ts"

/** A segment that MediaMTX has begun to write. */
export interface Segment {
  readonly camera: CameraId
  readonly filename: string
}

const poll = Duration.millis(5)
/** MediaMTX closes a file within milliseconds; a slow disk may take longer, and a killed MediaMTX never does. */
const closingTime = Duration.seconds(3)
/** Copying an hour into another container reads and writes it once. */
const remuxTime = Duration.minutes(10)

type Media = Pick<IndexedFile, "duration" | "codec" | "width" | "height">

/** A segment in another container, beside its place. */
interface Remuxed {
  readonly aside: string
  readonly filename: string
}

/** A segment that is whole, and what is in it. */
export interface Prepared {
  readonly segment: Segment
  readonly remuxed: Remuxed | undefined
  readonly media: Media
}

/** The segments that come to a camera's recording, from the moment on at which they are followed. */
export interface Followed {
  /** waits for the next one with bytes in it, and shows it in the lists while it grows */
  readonly next: Effect.Effect<Segment, DependencyFailed>
  /** all that came, oldest first, those too that `next` has not given yet: for the recording's end */
  readonly all: Effect.Effect<ReadonlyArray<Segment>, DependencyFailed>
}

/** The files that MediaMTX's recorder writes: told as they appear, made whole and indexed when they are done. */
export class Segments extends Context.Service<
  Segments,
  {
    readonly follow: (camera: CameraId) => Effect.Effect<Followed, DependencyFailed, Scope.Scope>
    /** waits until the file is closed, syncs it, and remuxes it aside where the format asks for it */
    readonly prepare: (segment: Segment, format: RecordingFormat) => Effect.Effect<Prepared, DependencyFailed>
    /** puts it in its place and indexes what it is: quick, and not to be interrupted */
    readonly place: (prepared: Prepared) => Effect.Effect<IndexedFile, DependencyFailed>
    /** forgets a file of a recording that never was one */
    readonly discard: (segment: Segment) => Effect.Effect<void, DependencyFailed>
  }
>()("camera-service/recording/Segments") {
  static readonly layer = Layer.effect(
    Segments,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const ffmpeg = yield* Ffmpeg
      const index = yield* FileIndex
      const changed = yield* PubSub.unbounded<Segment>()

      yield* Effect.acquireRelease(
        Effect.sync(() =>
          watch(folder.recordings, (_event, name) => {
            const segment = name === null ? undefined : segmentOf(name)
            if (segment !== undefined) PubSub.publishUnsafe(changed, segment)
          })
        ),
        (watcher) => Effect.sync(() => watcher.close())
      )

      const pathOf = ({ filename }: Segment): string => join(folder.recordings, filename)

      const put = Effect.fnUntraced(function* ({ camera, filename }: Segment, media: Media) {
        const { mtimeMs, size } = yield* attempt("look at the recording", () => stat(join(folder.recordings, filename)))
        const file: IndexedFile = {
          kind: "recording",
          filename,
          device: camera,
          bytes: size,
          modified: Math.floor(mtimeMs),
          created: Math.floor(parseFileName(filename)?.startedAt ?? mtimeMs),
          ...media
        }
        yield* index.put(file)
        return file
      })

      const segmentsOf = (camera: CameraId) =>
        Effect.map(
          attempt("look at the recordings", () => readdir(folder.recordings)),
          (names) => names.map(segmentOf).filter((segment) => segment?.camera === camera)
        )

      const follow = Effect.fn("Segments.follow")(function* (camera: CameraId) {
        const changes = yield* PubSub.subscribe(changed)
        // older files change too: they are deleted, renamed, and told late
        const older = new Set((yield* segmentsOf(camera)).map((segment) => segment?.filename))
        const known = new Set(older)

        /** An empty file is looked at again when something is written to it; one that is gone never will be. */
        const hasBytes = (segment: Segment) =>
          attempt("look at the recording", async () => {
            try {
              return (await stat(pathOf(segment))).size > 0
            } catch (cause) {
              if (errnoOf(cause) === "ENOENT") return false
              throw cause
            }
          })

        const next = Effect.gen(function* () {
          for (;;) {
            const segment = yield* PubSub.take(changes)
            if (segment.camera !== camera || known.has(segment.filename)) continue
            if (!(yield* hasBytes(segment))) continue
            known.add(segment.filename)
            yield* put(segment, { duration: 0, codec: "", width: 0, height: 0 })
            return segment
          }
        })
        const all = Effect.map(segmentsOf(camera), (present) =>
          present
            .filter((segment) => segment !== undefined)
            .filter(({ filename }) => !older.has(filename))
            .sort((a, b) => (a.filename < b.filename ? -1 : 1))
        )
        return { next, all }
      })

      /** The last thing that MediaMTX writes into an fMP4 file is its duration; an MPEG-TS file just stops growing. */
      const awaitClosed = (segment: Segment) => {
        let before = -1
        const closed = Effect.tryPromise(async () => {
          if (extensionOf(segment.filename) === "mp4")
            return ((await readMp4Header(pathOf(segment)))?.duration ?? 0) > 0
          const { size } = await stat(pathOf(segment))
          const still = size === before
          before = size
          return still
        }).pipe(Effect.orElseSucceed(() => true)) // whoever reads it next says what is wrong with it
        return Effect.repeat(closed, { until: (isClosed) => isClosed, schedule: Schedule.spaced(poll) }).pipe(
          Effect.timeoutOption(closingTime)
        )
      }

      /** Written aside and renamed over: the recording is whole under one of its two names at any moment. */
      const remux = Effect.fn("Segments.remux")(function* (segment: Segment, format: "mp4" | "mkv") {
        const filename = segment.filename.replace(/\.[^.]+$/, `.${format}`)
        const aside = join(folder.recordings, `${temporaryPrefix}${filename}`)
        yield* ffmpeg.run(remuxArguments(pathOf(segment), aside, format), { work: "remux", timeout: remuxTime })
        yield* attempt("sync the recording", () => syncFile(aside))
        return { aside, filename }
      })

      const replace = Effect.fnUntraced(function* (segment: Segment, { aside, filename }: Remuxed) {
        yield* attempt("rename the recording", () => rename(aside, join(folder.recordings, filename)))
        if (filename !== segment.filename) {
          yield* attempt("remove the recording's raw form", () => unlink(pathOf(segment)))
          yield* index.remove("recording", segment.filename)
        }
        return { ...segment, filename }
      })

      const keptAsItIs = (error: DependencyFailed | FfmpegFailed) =>
        Effect.as(Effect.logError("a recording is kept as fmp4: it could not be remuxed", error), undefined)

      const prepare = Effect.fn("Segments.prepare")(function* (segment: Segment, format: RecordingFormat) {
        yield* awaitClosed(segment)
        yield* attempt("sync the recording", () => syncFile(pathOf(segment)))
        const remuxed =
          format === "mp4" || format === "mkv"
            ? yield* remux(segment, format).pipe(Effect.catch(keptAsItIs))
            : undefined
        const { codec, duration, height, width } = yield* ffmpeg.probe(remuxed?.aside ?? pathOf(segment)).pipe(
          Effect.catch((error) =>
            Effect.as(Effect.logWarning("a recording could not be looked into", error), {
              duration: 0,
              codec: "",
              width: 0,
              height: 0
            })
          )
        )
        return { segment, remuxed, media: { duration, codec, width, height } } satisfies Prepared
      })

      const place = Effect.fn("Segments.place")(function* ({ media, remuxed, segment }: Prepared) {
        const replaced =
          remuxed === undefined ? undefined : yield* replace(segment, remuxed).pipe(Effect.catch(keptAsItIs))
        yield* attempt("sync the recording", () => syncFolder(folder.recordings))
        return yield* put(replaced ?? segment, media)
      })

      const discard = Effect.fn("Segments.discard")(function* (segment: Segment) {
        yield* attempt("remove the recording", () => rm(pathOf(segment), { force: true }))
        yield* index.remove("recording", segment.filename)
      })

      return Segments.of({ follow, prepare, place, discard })
    })
  )
}

/** What MediaMTX writes itself; other extensions are made of these here. */
const writtenExtensions = new Set(["mp4", "ts"])

const segmentOf = (filename: string): Segment | undefined => {
  const parsed = parseFileName(filename)
  return parsed !== undefined && writtenExtensions.has(parsed.extension)
    ? { camera: parsed.device, filename }
    : undefined
}

const syncFile = async (path: string): Promise<void> => {
  const handle = await open(path, "r+")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
