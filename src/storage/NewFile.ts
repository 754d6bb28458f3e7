import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Disk } from "../ground/Disk.ts"
import type { DiskError } from "../ground/DiskError.ts"

/*
 * How a file comes to be in the data folder, so that a power cut between any two steps leaves the old file or the new one,
 * whole, under its name:
 *
 * 1. It is written aside, under a temporary name.
 * 2. It is synced: its bytes last.
 * 3. It gets its name in one step: by a rename where it replaces what is there, by a link where it must not.
 * 4. The folder is synced: the name lasts.
 * 5. Only now what it replaced under another name, or came from, is removed.
 *
 * A recording is another's file, which MediaMTX writes under its name and never syncs:
 *
 * 1. While it is written it is synced again and again, and its name after the first time (`OpenFileSync`): a power cut costs
 *    what came since, and the file plays up to there.
 * 2. When MediaMTX has closed it, it is synced (`Segments`), or its copy in another format is: written aside, synced, renamed
 *    over it. The folder is synced.
 * 3. Only now the index has it as whole, and its end is told.
 *
 * That it goes on after a crash is on the disk before its start is answered, that it is over before its stop is (`Unfinished`,
 * a small file).
 *
 * The index itself is never synced: it is derived, looked through after a power cut, and brought to what the folders hold.
 *
 * A sync that failed is never tried again on the same file: ext4, XFS and Btrfs take what they could not write for
 * written. The file is given up, and written anew where its bytes are still at hand. Only snapshots that replace none have
 * their name before they are synced (`PictureFiles`): a power cut may leave an empty one, or zeros, which the index does
 * not list (`LostPictures`).
 */

/** The start of a temporary file's name; such files are hidden, never listed, and removed at the next start. */
export const temporaryPrefix = ".tmp-"

/** What link(2) answers on a file system that has no links, such as FAT on a memory card. */
const withoutLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])

/**
 * One at a time looks whether a name is taken and then takes it. This process alone writes into the folder (`DataFolder`),
 * but for the program that makes the secret when the service never ran.
 */
const oneName = Semaphore.makeUnsafe(1)

/** Gives a file its name if nothing has that name, else is false; the temporary name may still be there, too. */
export const nameNew = (disk: Disk["Service"], aside: string, path: string): Effect.Effect<boolean, DiskError> =>
  disk.link(aside, path).pipe(
    Effect.as(true),
    Effect.catch((error) => {
      if (error.code === "EEXIST") return Effect.succeed(false)
      return withoutLinks.has(error.code) ? renameNew(disk, aside, path) : Effect.fail(error)
    })
  )

/** Not by an empty file that takes the name first: a power cut would leave that. */
const renameNew = (disk: Disk["Service"], aside: string, path: string) =>
  disk.state(path).pipe(
    Effect.as(false),
    Effect.catch((error) => (error.code === "ENOENT" ? Effect.as(disk.rename(aside, path), true) : Effect.fail(error))),
    oneName.withPermit
  )
