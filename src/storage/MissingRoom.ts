import * as Effect from "effect/Effect"
import type { Live } from "../config/LiveSettings.ts"
import type { DiskSpace } from "../ground/Disk.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { reserveBytes } from "./SpaceLevel.ts"

/** Btrfs shows what was deleted after its next commit, within 30 s, and XFS a little later: until then it is counted here. */
const hiddenMillis = 60_000

/**
 * How much has to come free on the disk of the recordings. Some disks show late what was deleted: that is counted here until
 * then, lest a cleanup after it deletes as much again.
 */
export const makeMissingRoom = () => {
  /** deleted, and not shown by the disk yet */
  let hidden: ReadonlyArray<{ readonly bytes: number; readonly until: number }> = []

  return {
    /** Bytes that have to come free; `unshown`: bytes that this cleanup deleted already, and the disk does not show. */
    missingOn: Effect.fnUntraced(function* (
      { available, used }: DiskSpace,
      { delete_percent, reserve_mb }: Live["storage"],
      unshown: number
    ) {
      const now = yield* monotonicMillis
      hidden = hidden.filter(({ until }) => until > now)
      const tooMuch = used - ((used + available) * delete_percent) / 100
      const tooLittle = 2 * reserveBytes({ reserve_mb }) - available
      return Math.max(tooMuch, tooLittle) - unshown - hidden.reduce((sum, { bytes }) => sum + bytes, 0)
    }),

    /** A cleanup is over, and the disk does not show so many bytes of what it deleted. */
    hide: (bytes: number) =>
      Effect.map(monotonicMillis, (now) => {
        hidden = [...hidden, { bytes, until: now + hiddenMillis }]
      })
  }
}

/** Of so many bytes deleted those that the disk does not show as free. */
export const unshownOf = (deleted: number, before: DiskSpace | undefined, now: DiskSpace | undefined): number =>
  before === undefined || now === undefined ? 0 : Math.max(0, deleted - Math.max(0, now.available - before.available))
