import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import type { Disk } from "../ground/Disk.ts"
import type { OpenFile } from "../ground/OpenFile.ts"
import type { DiskError } from "../ground/DiskError.ts"

/** A new file that is not synced yet, and stays open for that until its scope is closed. */
export interface Unsynced {
  readonly file: OpenFile
  readonly scope: Scope.Closeable
}

/** More pictures than the disk can sync while this many wait: saving slows down to the disk's pace. */
const syncsWaiting = 64

interface Waiting {
  readonly filename: string
  readonly file: Unsynced | undefined
}

/**
 * Syncs new files after the reply: a picture at hand is answered within 5 ms, and an fsync alone takes 100 ms and more on
 * an SD card that records. A power cut in between costs that picture and nothing else; a stop of the service waits for the syncs.
 */
export const backgroundSync = Effect.fnUntraced(function* (disk: Disk["Service"], folder: string) {
  const waiting = yield* Queue.bounded<Waiting>(syncsWaiting)
  const lost = (filenames: ReadonlyArray<string>, { cause }: DiskError) =>
    Effect.logError("snapshots may be gone after a power cut: the disk did not sync them", { filenames }, cause)
  const syncFile = ({ file, filename }: Waiting) =>
    (file === undefined ? Effect.void : Effect.ensuring(file.file.sync, Scope.close(file.scope, Exit.void))).pipe(
      Effect.as([filename]),
      Effect.catch((error) => Effect.as(lost([filename], error), []))
    )
  // taken one by one, so that there is room for another as soon as one is synced; the folder once for all their names
  const syncAll = Effect.gen(function* () {
    const synced: Array<string> = []
    for (let left = yield* Queue.size(waiting); left > 0; left--) {
      synced.push(...(yield* syncFile(yield* Queue.take(waiting))))
    }
    if (synced.length > 0) yield* disk.sync(folder).pipe(Effect.catch((error) => lost(synced, error)))
  })
  // registered before the fiber, so it runs after the fiber has ended
  yield* Effect.addFinalizer(() => syncAll)
  // interruptible only while it waits: an interrupted `take` may have taken a file already, and would lose it
  const next = Effect.uninterruptibleMask((restore) => Effect.andThen(restore(Queue.peek(waiting)), syncAll))
  yield* Effect.forkScoped(Effect.forever(next))
  return (unsynced: Waiting) => Queue.offer(waiting, unsynced)
})
