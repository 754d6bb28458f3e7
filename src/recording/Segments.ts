import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Disk } from "../ground/Disk.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { readMp4Header } from "../ground/Mp4File.ts"
import type { MediaInfo } from "../process/Ffprobe.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { attempt } from "../storage/StorageFailed.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Holds } from "../storage/Holds.ts"
import { removeSidecar } from "../storage/Reconcile.ts"
import type { IndexedFile } from "../storage/IndexedFile.ts"
import { extensionOf, parseFileName } from "../storage/Names.ts"
import { recordedFrom } from "../storage/RecordedFrom.ts"
import { RecordingParts } from "../storage/RecordingParts.ts"
import { isRemuxed } from "./Format.ts"
import { syncOpenFiles } from "./OpenFileSync.ts"
import { makeRemux, type Wanted } from "./Remux.ts"
import { explainStalls, type Stall } from "./Stall.ts"
import { syncTrials } from "./SyncTrials.ts"

const poll = Duration.millis(5)
/** MediaMTX closes a file within milliseconds; a slow disk may take longer, and a killed MediaMTX never does. */
const closingMillis = 3000
/** MediaMTX writes ten parts a second; one that writes on is not still for so long. */
const stillMillis = 1000
/** A file that was never closed is read to its end; whoever stops a recording waits for that no longer. */
const probeTime = Duration.seconds(4)

type Media = Pick<IndexedFile, "duration" | "codec" | "width" | "height">

const unsafe = (failure: string): string => `a file may not outlive a power cut: ${failure}`

const unknownMedia: Media = { duration: 0, codec: "", width: 0, height: 0 }

const mediaOf = ({ codec, duration, height, width }: MediaInfo): Media => ({ codec, duration, height, width })

/** A segment that is whole; `flaw`: what is not as it should be all the same. */
export interface Finished {
  readonly file: IndexedFile
  readonly flaw: string | undefined
}

/** The files that MediaMTX's recorder wrote: made whole and indexed when they are done. */
export class Segments extends Context.Service<
  Segments,
  {
    /**
     * Gives a file that MediaMTX has just begun the name that it keeps (`segmentName`) and shows it in the lists. Gives the
     * name that it has now: MediaMTX's own where the disk renames nothing. `syncFailed`: told if the disk fails to sync it.
     */
    readonly begin: (
      camera: CameraId,
      written: string,
      filename: string,
      syncFailed: (name: string, flaw: string) => void
    ) => Effect.Effect<string>
    /** waits until it is closed, syncs it, remuxes it where the format asks for it; one without a byte is removed */
    readonly finish: (
      camera: CameraId,
      filename: string,
      wanted: Wanted
    ) => Effect.Effect<Finished | "EMPTY", DependencyFailed>
    /** forgets a file of a recording that never was one */
    readonly discard: (filename: string) => Effect.Effect<void, DependencyFailed>
    /** why nothing is written, and what is told when it is over */
    readonly explainStall: Effect.Effect<Stall>
    /** returns when the disk has synced a new file */
    readonly awaitSync: Effect.Effect<void>
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
      const parts = yield* RecordingParts
      const settings = yield* Settings
      const period = Effect.sync(() => liveNow(settings).recording.sync_milliseconds)
      const openFiles = yield* syncOpenFiles(disk, folder, period)
      const remux = yield* makeRemux(disk, ffmpeg)

      const pathOf = (filename: string): string => join(folder, filename)
      const stateOf = (filename: string) => attempt("look at the recording", disk.state(pathOf(filename)))

      /** `written`: when the recorder wrote to it last, which a copy of it does not tell; undefined: its own time does */
      const put = Effect.fnUntraced(function* (camera: CameraId, filename: string, media: Media, written?: number) {
        const { bytes, modified } = yield* stateOf(filename)
        const named = Math.floor(parseFileName(filename)?.startedAt ?? modified)
        const file: IndexedFile = {
          kind: "recording",
          filename,
          device: camera,
          bytes,
          modified: Math.floor(modified),
          created: recordedFrom(named, written ?? modified, media.duration),
          ...media
        }
        yield* index.put(file)
        return file
      })

      /** MediaMTX goes on writing into the file, whatever its name is. Gives the name that it has by then. */
      const rename = (written: string, filename: string) =>
        attempt("rename the recording", disk.rename(pathOf(written), pathOf(filename))).pipe(
          // it may have been listed meanwhile by who looks into the folder
          Effect.andThen(index.remove("recording", written)),
          Effect.as(filename),
          Effect.orElseSucceed(() => written)
        )

      const begin = Effect.fnUntraced(function* (
        camera: CameraId,
        written: string,
        filename: string,
        syncFailed: (name: string, flaw: string) => void
      ) {
        const name = written === filename ? written : yield* rename(written, filename)
        yield* Effect.ignore(put(camera, name, unknownMedia))
        yield* openFiles.began(name, (failure) => syncFailed(name, unsafe(failure)))
        return name
      })

      /** The last thing that MediaMTX writes into an fMP4 file is its duration; an MPEG-TS file just stops growing. */
      const isClosed = (filename: string) =>
        readMp4Header(disk, pathOf(filename)).pipe(
          Effect.map((header) => header !== undefined && header.duration > 0),
          // whoever reads it next says what is wrong with it
          Effect.orElseSucceed(() => true)
        )

      /**
       * Waits for the file's end. STILL: MediaMTX has not closed it, and writes no more. GROWING: it was not told to stop. The
       * time for its close is not given where there is none.
       */
      const awaitEnd = Effect.fnUntraced(function* (filename: string, isHurried: () => boolean) {
        const isMp4 = extensionOf(filename) !== "ts"
        const since = yield* monotonicMillis
        let { bytes } = yield* stateOf(filename)
        let grewAt = since
        while (bytes > 0) {
          if (isMp4 && (yield* isClosed(filename))) return "CLOSED"
          yield* Effect.sleep(poll)
          const now = yield* monotonicMillis
          const state = yield* stateOf(filename)
          const isSame = state.bytes === bytes
          if (!isMp4 && isSame) return "CLOSED"
          if (!isSame) grewAt = now
          bytes = state.bytes
          const isLate = now - since >= closingMillis
          if (now - grewAt >= stillMillis && (isLate || isHurried())) return "STILL"
          if (isLate) return "GROWING"
        }
        return "EMPTY"
      })

      /** Written aside, and renamed over at one stroke: the recording is whole under its name at any moment. */
      const replace = (filename: string, aside: string) =>
        Effect.andThen(
          attempt("rename the recording", disk.rename(aside, pathOf(filename))),
          attempt("sync the recording", disk.sync(folder))
        )

      const describe = (path: string) =>
        ffmpeg.probe(path).pipe(
          Effect.timeout(probeTime),
          Effect.map(mediaOf),
          Effect.catch((error) =>
            Effect.as(Effect.logWarning("a recording could not be looked into", error), unknownMedia)
          )
        )

      /** After a failed sync the kernel holds for written what may not be: that file is not tried again (fsync(2)). */
      const sync = Effect.fnUntraced(function* (filename: string) {
        const failure =
          (yield* openFiles.ended(filename)) ??
          (yield* attempt("sync the recording", disk.sync(pathOf(filename))).pipe(
            Effect.as(undefined),
            Effect.catch(({ detail }) => Effect.succeed(detail))
          ))
        return failure === undefined ? undefined : unsafe(failure)
      })

      const discard = Effect.fn("Segments.discard")(function* (filename: string) {
        openFiles.forget(filename)
        yield* attempt("remove the recording", disk.removeAll(pathOf(filename)))
        yield* attempt("remove the recording", removeSidecar(disk, folder, filename))
        yield* index.remove("recording", filename)
      })

      const finish = Effect.fn("Segments.finish")(function* (camera: CameraId, filename: string, wanted: Wanted) {
        yield* Effect.addFinalizer(() => Effect.sync(() => openFiles.forget(filename)))
        const end = yield* awaitEnd(filename, wanted.isHurried)
        if (end === "EMPTY") return yield* Effect.as(discard(filename), "EMPTY" as const)
        const syncFlaw = yield* sync(filename)
        if (end === "GROWING") {
          const file = yield* put(camera, filename, unknownMedia)
          return { file, flaw: syncFlaw ?? "MediaMTX still writes a file" } satisfies Finished
        }
        const path = pathOf(filename)
        const { modified } = yield* stateOf(filename)
        if (isRemuxed(wanted.format)) yield* Effect.ignore(holds.hold("recording", filename, "REMUXING"))
        const { copy, flaw } = yield* remux(path, wanted)
        // the next start looks into it: one that was never closed is read to its end
        const isLeft = end === "STILL" && wanted.isHurried()
        const media =
          copy === undefined ? yield* isLeft ? Effect.succeed(unknownMedia) : describe(path) : mediaOf(copy.media)
        return yield* Effect.uninterruptible(
          Effect.gen(function* () {
            if (copy === undefined) yield* attempt("sync the recording", disk.sync(folder))
            else yield* replace(filename, copy.path)
            const file = yield* put(camera, filename, media, modified)
            if (!isRemuxed(wanted.format)) parts.closed(filename)
            // what was copied from the kernel's memory is a file of its own
            return { file, flaw: copy === undefined ? (syncFlaw ?? flaw) : undefined } satisfies Finished
          })
        )
      }, Effect.scoped)

      return Segments.of({
        begin,
        finish,
        discard,
        explainStall: explainStalls(disk, folder),
        awaitSync: syncTrials(disk, folder)
      })
    })
  )
}
