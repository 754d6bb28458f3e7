import * as Effect from "effect/Effect"
import type { Disk } from "../ground/Disk.ts"
import type { DiskError } from "../ground/DiskError.ts"
import type { OpenFile } from "../ground/OpenFile.ts"

/** What MediaMTX writes at once: a part. */
const trialBytes = 65_536

/**
 * Does what MediaMTX does, takes place on the disk, and `then` that. Another name each time: one that could not be removed is
 * in nobody's way.
 */
export const trialOn = (
  disk: Disk["Service"],
  path: string,
  then: (file: OpenFile) => Effect.Effect<void, DiskError>
): Effect.Effect<void, DiskError> => {
  let trials = 0
  return Effect.suspend(() => {
    const name = `${path}-${trials++}`
    return disk.create(name, 0o600).pipe(
      Effect.tap(({ append }) => append(new Uint8Array(trialBytes))),
      Effect.flatMap(then),
      Effect.scoped,
      Effect.ensuring(Effect.ignore(disk.removeAll(name)))
    )
  })
}
