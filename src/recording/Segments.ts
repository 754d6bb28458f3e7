import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed } from "../../schema/Errors.ts"
import type { RecordingFormat } from "../../schema/Recording.ts"
import { Disk } from "../ground/Disk.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { Ffmpeg, FfmpegFailed } from "../process/Ffmpeg.ts"
import { readMp4Header } from "../process/Mp4File.ts"
import { remuxArguments } from "../source/FfmpegArguments.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { attempt, storageFailed } from "../storage/StorageFailed.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Holds } from "../storage/Holds.ts"
import type { IndexedFile } from "../storage/IndexDatabase.ts"
import { extensionOf, parseFileName } from "../storage/Names.ts"
import type { Stall } from "./RecordingState.ts"

const poll = Duration.millis(5)
/** MediaMTX closes a file within milliseconds; a slow disk may take longer, and a killed MediaMTX never does. */
const closingMillis = 3000
/** MediaMTX writes ten parts a second; one that writes on is not still for so long. */
const stillMillis = 1000
/** Copying an hour into another container reads and writes it once. */
const remuxTime = Duration.minutes(10)
/** What hangs writes nothing; a remux that does not is given all of `remuxTime`. */
const stuckSeconds = 5
/** A file that was never closed is read to its end; whoever stops a recording waits for that no longer. */
const probeTime = Duration.seconds(4)
/** What MediaMTX writes at once: a part. */
const trialBytes = 65_536
const trialTime = Duration.seconds(2)

type Media = Pick<IndexedFile, "duration" | "codec" | "width" | "height">

const unknownMedia: Media = { duration: 0, codec: "", width: 0, height: 0 }

/** A segment that is whole; `flaw`: what is not as it should be all the same. */
export interface Finished {
  readonly file: IndexedFile
  readonly flaw: string | undefined
}

/** How a segment is made what was asked for. */
export interface Wanted {
  readonly format: RecordingFormat
  /** does what has to be known once it is copied into another container, which takes what it takes */
  readonly remuxing: Effect.Effect<unknown>
  /** returns when there is no time for that any more: the file stays what it is */
  readonly givenUp: Effect.Effect<unknown>
}

/** A segment in another container, beside its place. */
interface Remuxed {
  readonly aside: string
  readonly filename: string
}

/** The files that MediaMTX's recorder wrote: made whole and indexed when they are done. */
export class Segments extends Context.Service<
  Segments,
  {
    /** shows one that grows in the lists */
    readonly list: (camera: CameraId, filename: string) => Effect.Effect<void, DependencyFailed>
    /** waits until it is closed, syncs it, remuxes it where the format asks for it; one without a byte is removed */
    readonly finish: (
      camera: CameraId,
      filename: string,
      wanted: Wanted
    ) => Effect.Effect<Finished | "EMPTY", DependencyFailed>
    /** forgets a file of a recording that never was one */
    readonly discard: (filename: string) => Effect.Effect<void, DependencyFailed>
    readonly bytes: (filename: string) => Effect.Effect<number, DependencyFailed>
    /** why nothing is written, and what is told when it is over */
    readonly explainStall: Effect.Effect<Stall>
  }
>()("camera-service/recording/Segments") {
  static readonly layer = Layer.effect(
    Segments,
    Effect.gen(function* () {
      const { recordings: folder } = yield* DataFolder
      const disk = yield* Disk
      const ffmpeg = yield* Ffmpeg
      const index = yield* FileIndex
      const holds = yield* Holds
      // it reads and writes as fast as the disk can
      const oneRemux = yield* Semaphore.make(1)
      let trials = 0

      const pathOf = (filename: string): string => join(folder, filename)
      const stateOf = (filename: string) => attempt("look at the recording", disk.state(pathOf(filename)))

      const put = Effect.fnUntraced(function* (camera: CameraId, filename: string, media: Media) {
        const { bytes, modified } = yield* stateOf(filename)
        const file: IndexedFile = {
          kind: "recording",
          filename,
          device: camera,
          bytes,
          modified: Math.floor(modified),
          created: Math.floor(parseFileName(filename)?.startedAt ?? modified),
          ...media
        }
        yield* index.put(file)
        return file
      })

      /** The last thing that MediaMTX writes into an fMP4 file is its duration; an MPEG-TS file just stops growing. */
      const isClosed = (filename: string) =>
        readMp4Header(disk, pathOf(filename)).pipe(
          Effect.map((header) => header !== undefined && header.duration > 0),
          // whoever reads it next says what is wrong with it
          Effect.orElseSucceed(() => true)
        )

      /** Waits for the file's end. A file that still grows after this is one that MediaMTX did not stop writing. */
      const awaitEnd = Effect.fnUntraced(function* (filename: string) {
        const isMp4 = extensionOf(filename) === "mp4"
        const since = yield* monotonicMillis
        let { bytes } = yield* stateOf(filename)
        let grewAt = since
        while (bytes > 0) {
          if (isMp4 && (yield* isClosed(filename))) return "CLOSED"
          yield* Effect.sleep(poll)
          const now = yield* monotonicMillis
          const state = yield* stateOf(filename)
          const isStill = state.bytes === bytes
          if (!isMp4 && isStill) return "CLOSED"
          if (!isStill) grewAt = now
          bytes = state.bytes
          if (now - since >= closingMillis) return now - grewAt >= stillMillis ? "CLOSED" : "GROWING"
        }
        return "EMPTY"
      })

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

      /** Written aside and renamed over: the recording is whole under one of its two names at any moment. */
      const remux = Effect.fn("Segments.remux")(function* (filename: string, format: "mp4" | "mkv") {
        const remuxed = remuxedName(filename, format)
        const aside = pathOf(`${temporaryPrefix}${remuxed}`)
        const copied = ffmpeg.run(remuxArguments(pathOf(filename), aside, format), {
          work: "remux",
          timeout: remuxTime
        })
        return yield* Effect.raceFirst(copied, awaitStuck(aside)).pipe(
          oneRemux.withPermit,
          Effect.andThen(attempt("sync the recording", disk.sync(aside))),
          Effect.as({ aside, filename: remuxed } satisfies Remuxed),
          Effect.onError(() => Effect.ignore(disk.removeAll(aside)))
        )
      })

      const remuxInTime = (filename: string, { format, givenUp, remuxing }: Wanted) =>
        Effect.gen(function* () {
          if (format !== "mp4" && format !== "mkv") return { remuxed: undefined, flaw: undefined }
          for (const name of [filename, remuxedName(filename, format)]) {
            yield* Effect.ignore(holds.hold("recording", name, "REMUXING"))
          }
          yield* remuxing
          const noTime = Effect.as(givenUp, { remuxed: undefined, flaw: "there was no time to copy it" })
          const copied = Effect.map(remux(filename, format), (remuxed) => ({ remuxed, flaw: undefined }))
          return yield* Effect.raceFirst(copied, noTime).pipe(
            Effect.catch((error: DependencyFailed | FfmpegFailed) =>
              Effect.as(Effect.logError("a recording is kept as it was written: it could not be remuxed", error), {
                remuxed: undefined,
                flaw: `it is kept as it was written: ${error.detail}`
              })
            )
          )
        })

      /** The raw form goes when the new name is on the disk, and not before: a file system without a journal keeps no order. */
      const replace = Effect.fnUntraced(function* (filename: string, remuxed: Remuxed) {
        yield* attempt("rename the recording", disk.rename(remuxed.aside, pathOf(remuxed.filename)))
        yield* attempt("sync the recording", disk.sync(folder))
        if (remuxed.filename === filename) return
        yield* attempt("remove the recording's raw form", disk.remove(pathOf(filename)))
        yield* index.remove("recording", filename)
      })

      const describe = (path: string) =>
        ffmpeg.probe(path).pipe(
          Effect.timeout(probeTime),
          Effect.map(({ codec, duration, height, width }): Media => ({ codec, duration, height, width })),
          Effect.catch((error) =>
            Effect.as(Effect.logWarning("a recording could not be looked into", error), unknownMedia)
          )
        )

      /** After a failed sync the kernel holds for written what may not be: that file is not tried again (fsync(2)). */
      const sync = (filename: string) =>
        attempt("sync the recording", disk.sync(pathOf(filename))).pipe(
          Effect.as(undefined),
          Effect.catch(({ detail }) => Effect.succeed(`a file may not outlive a power cut: ${detail}`))
        )

      const discard = Effect.fn("Segments.discard")(function* (filename: string) {
        yield* attempt("remove the recording", disk.removeAll(pathOf(filename)))
        yield* index.remove("recording", filename)
      })

      const finish = Effect.fn("Segments.finish")(function* (camera: CameraId, filename: string, wanted: Wanted) {
        const end = yield* awaitEnd(filename)
        if (end === "EMPTY") return yield* Effect.as(discard(filename), "EMPTY" as const)
        const unsynced = yield* sync(filename)
        if (end === "GROWING") {
          const file = yield* put(camera, filename, unknownMedia)
          return { file, flaw: unsynced ?? "MediaMTX still writes a file" } satisfies Finished
        }
        const { flaw, remuxed } = yield* remuxInTime(filename, wanted)
        const media = yield* describe(remuxed?.aside ?? pathOf(filename))
        return yield* Effect.uninterruptible(
          Effect.gen(function* () {
            if (remuxed === undefined) yield* attempt("sync the recording", disk.sync(folder))
            else yield* replace(filename, remuxed)
            const file = yield* put(camera, remuxed?.filename ?? filename, media)
            // what was copied from the kernel's memory is a file of its own
            return { file, flaw: remuxed === undefined ? (unsynced ?? flaw) : undefined } satisfies Finished
          })
        )
      }, Effect.scoped)

      /** Does what MediaMTX does: takes place on the disk. A call that hangs cannot be taken back: it is left behind. */
      const explainStall = Effect.gen(function* () {
        const path = pathOf(`${temporaryPrefix}trial-${trials++}`)
        const trial = disk.create(path, 0o600).pipe(
          Effect.flatMap(({ append }) => append(new Uint8Array(trialBytes))),
          Effect.scoped,
          Effect.ensuring(Effect.ignore(disk.removeAll(path)))
        )
        const trying = yield* Effect.forkDetach(Effect.result(trial))
        const tried = yield* Effect.timeoutOption(Fiber.join(trying), trialTime)
        const takesIt = "the disk takes it again"
        if (Option.isNone(tried)) {
          const failure = new DependencyFailed({ dependency: "storage", detail: "the disk does not answer" })
          return { failure, isRefusal: false, over: takesIt }
        }
        if (tried.value._tag === "Success") {
          return { failure: undefined, isRefusal: false, over: "it is written again" }
        }
        const { failure } = tried.value
        yield* Effect.logWarning("a recording cannot be written", failure)
        const isFull = failure.code === "ENOSPC" || failure.code === "EDQUOT"
        return {
          failure: storageFailed("write the recording", failure),
          isRefusal: true,
          over: isFull ? "there is room on the disk again" : takesIt
        }
      }).pipe(Effect.withSpan("Segments.explainStall"))

      return Segments.of({
        list: (camera, filename) => Effect.asVoid(put(camera, filename, unknownMedia)),
        finish,
        discard,
        bytes: (filename) => Effect.map(stateOf(filename), ({ bytes }) => bytes),
        explainStall
      })
    })
  )
}

const remuxedName = (filename: string, format: "mp4" | "mkv"): string => filename.replace(/\.[^.]+$/, `.${format}`)
