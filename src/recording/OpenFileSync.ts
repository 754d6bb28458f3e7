import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { Disk } from "../ground/Disk.ts"
import type { DiskError } from "../ground/DiskError.ts"
import { looseAnswer } from "../storage/SharedAnswer.ts"
import { storageFailed } from "../storage/StorageFailed.ts"

const together = 4

/** Told of a file that the disk failed to sync: why it may not outlive a power cut. */
type SyncFailed = (failure: string) => void

/** A file that MediaMTX writes. */
interface Open {
  /** as it was synced last */
  bytes: number
  isNamed: boolean
  /** why it may not outlive a power cut; it is not synced again: the kernel takes what it could not write for written (fsync(2)) */
  failure: string | undefined
  readonly syncFailed: SyncFailed
  /** of who syncs it */
  readonly turn: Semaphore.Semaphore
}

export interface OpenFileSync {
  /** MediaMTX has begun it */
  readonly began: (filename: string, syncFailed: SyncFailed) => Effect.Effect<void>
  /**
   * It is not synced here any more. Gives why it may not outlive a power cut, once what is under way is over: of what the disk
   * could not write it tells whoever syncs first (fsync(2)).
   */
  readonly ended: (filename: string) => Effect.Effect<string | undefined>
  /** nobody wants to know */
  readonly forget: (filename: string) => void
}

/**
 * Syncs the files that recordings write into, again and again: MediaMTX never does, and a power cut would cost what the kernel
 * keeps in memory, some 30 s. A few at a time: the disk writes down once what it is asked for meanwhile, and one that hangs
 * holds no more of libuv's threads.
 */
export const syncOpenFiles = Effect.fnUntraced(function* (
  disk: Disk["Service"],
  folder: string,
  period: Effect.Effect<Duration.Duration>
) {
  const open = new Map<string, Open>()
  const isAny = yield* Latch.make(false)

  const syncOne = Effect.fnUntraced(function* (filename: string, file: Open) {
    const path = join(folder, filename)
    const { bytes } = yield* disk.state(path)
    // it may have ended meanwhile
    if (bytes === file.bytes || open.get(filename) !== file) return
    yield* disk.sync(path)
    file.bytes = bytes
    if (file.isNamed) return
    yield* disk.sync(folder)
    file.isNamed = true
  })

  const syncAll = Effect.suspend(() =>
    Effect.forEach(
      open,
      ([filename, file]) =>
        file.failure === undefined
          ? syncOne(filename, file).pipe(Effect.catch(failed(filename, file)), file.turn.withPermit)
          : Effect.void,
      { concurrency: together, discard: true }
    )
  )
  const failed = (filename: string, file: Open) => (error: DiskError) => {
    // somebody removed it: who finishes it says so
    if (error.code === "ENOENT") return Effect.void
    file.failure = storageFailed("sync the recording", error).detail
    file.syncFailed(file.failure)
    return Effect.logError("a recording may not outlive a power cut", { filename }, error.cause)
  }

  yield* isAny.await.pipe(
    Effect.andThen(Effect.all([looseAnswer(syncAll), Effect.flatMap(period, Effect.sleep)], { concurrency: 2 })),
    Effect.forever,
    Effect.forkScoped
  )

  const forget = (filename: string): void => {
    open.delete(filename)
    if (open.size === 0) isAny.closeUnsafe()
  }

  return {
    began: (filename, syncFailed) =>
      Effect.sync(() => {
        const turn = Semaphore.makeUnsafe(1)
        open.set(filename, { bytes: 0, isNamed: false, failure: undefined, syncFailed, turn })
        isAny.openUnsafe()
      }),
    ended: (filename) =>
      Effect.suspend(() => {
        const file = open.get(filename)
        forget(filename)
        return file === undefined ? Effect.undefined : file.turn.withPermit(Effect.sync(() => file.failure))
      }),
    forget
  } satisfies OpenFileSync as OpenFileSync
})
