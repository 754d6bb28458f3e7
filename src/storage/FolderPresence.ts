import * as Effect from "effect/Effect"
import { dirname } from "node:path"
import type { Disk } from "../ground/Disk.ts"
import { diskError, type DiskError, ifThere } from "../ground/DiskError.ts"

export const folderAway = "the data folder is gone: its disk was unmounted or taken out"
export const folderBack = "the data folder is there again"

/**
 * Gives what fails (ENODEV) where the disk that a folder lay on at the first look is away: one sees the file system under
 * the place where it was mounted, and what is written there is on the wrong disk, and hidden once the right one is back. Another
 * disk in that place is as good. A folder that is missing on a disk that is there is made again: gives whether it was.
 */
export const folderPresence = (
  disk: Disk["Service"],
  folder: string,
  mode: number
): Effect.Effect<boolean, DiskError> => {
  let beneath: ReadonlySet<number> | undefined
  const fileSystem = (path: string) => Effect.map(disk.space(path), (space) => space.fileSystem)
  const above = Effect.fnUntraced(function* (path: string) {
    const found: Array<number> = []
    for (let at = path; dirname(at) !== at; at = dirname(at)) {
      // one of those that does not say it is not the data folder's trouble
      const one = yield* Effect.orElseSucceed(fileSystem(dirname(at)), () => undefined)
      if (one !== undefined) found.push(one)
    }
    return found
  })
  return Effect.gen(function* () {
    const own = yield* ifThere(fileSystem(folder))
    const shown = own ?? (yield* above(folder))[0]
    if (beneath === undefined && own !== undefined) {
      beneath = new Set((yield* above(folder)).filter((other) => other !== own))
    }
    if (shown !== undefined && beneath?.has(shown) === true) {
      return yield* diskError(Object.assign(new Error(folderAway), { code: "ENODEV" }))
    }
    if (own !== undefined) return false
    yield* disk.makeFolder(folder, mode)
    return true
  })
}
