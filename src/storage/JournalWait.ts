import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { Disk } from "../ground/Disk.ts"
import { storageFailed } from "./StorageFailed.ts"

/** A disk that takes longer is as good as one that fails. */
const patience = Duration.seconds(10)

/**
 * Gives what waits, beside the main thread, until the file system takes a change of these files at once.
 *
 * A write alone waits for no disk, but it notes when the file was changed, and who notes that waits while the file system's
 * journal is writing down the note before (ext4, jbd2's `do_get_write_access`): for one write to the disk, some 100 ms on an SD
 * card, and for as long nobody would be answered. So the same is noted first, in a thread of libuv's: after that it belongs to
 * what the journal writes down next, and the write that follows has nothing to wait for. By name: SQLite's locks on a file end
 * when any descriptor of this process for it is closed (fcntl(2)).
 *
 * Who comes meanwhile waits for the same, and no longer than who came first. Fails when it takes too long, and then at once,
 * until the disk has answered: it holds one thread.
 */
export const journalWait = (
  disk: Disk["Service"],
  paths: ReadonlyArray<string>
): Effect.Effect<void, DependencyFailed> => {
  let asked: Deferred.Deferred<void, DependencyFailed> | undefined
  // what is wrong with a file says the write itself, in SQLite's words
  const touched = Effect.forEach(paths, (path) => Effect.ignore(disk.touch(path)), { discard: true })
  const tooLong = storageFailed("use the index", { code: "ETIMEDOUT" })
  const ask = Effect.suspend(() => {
    if (asked !== undefined) return Effect.succeed(asked)
    const answer = (asked = Deferred.makeUnsafe<void, DependencyFailed>())
    const answered = Effect.onExit(touched, (exit) => {
      asked = undefined
      return Deferred.done(answer, exit)
    })
    // until the disk answers, whoever asks is told the same
    const deadline = Effect.timeoutOrElse(Effect.exit(Deferred.await(answer)), {
      duration: patience,
      orElse: () => Deferred.fail(answer, tooLong)
    })
    // no children of anybody, whose end would wait for a disk that hangs
    return Effect.forkDetach(answered, { startImmediately: true }).pipe(
      Effect.andThen(Effect.suspend(() => (Deferred.isDoneUnsafe(answer) ? Effect.void : Effect.forkDetach(deadline)))),
      Effect.as(answer)
    )
  })
  return Effect.flatMap(Effect.uninterruptible(ask), Deferred.await)
}
